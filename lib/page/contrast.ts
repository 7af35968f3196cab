type Rgb = readonly [red: number, green: number, blue: number];

/** The contrast that WCAG 2.2 AA demands of text. */
export const READABLE = 4.5;

/** The contrast of two colours of the form `#rrggbb`, from 1 to 21, as WCAG 2.2 defines it. */
export function contrastOf(one: string, other: string): number {
  const [dark, light] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

/** The tone of a colour that is readable on a ground and nearest to the colour, mixed with black or white. */
export function readableOn(ground: string, colour: string, mixed: 'black' | 'white'): string {
  const end = mixed === 'black' ? 0 : 255;
  let tone = colour;
  for (let part = 1; contrastOf(tone, ground) < READABLE; part += 1) {
    const mix = rgbOf(colour).map((one) => Math.round(one + ((end - one) * part) / 50));
    tone = `#${mix.map((one) => one.toString(16).padStart(2, '0')).join('')}`;
  }
  return tone;
}

function luminanceOf(colour: string): number {
  const [red, green, blue] = rgbOf(colour).map((one) => {
    const part = one / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function rgbOf(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
