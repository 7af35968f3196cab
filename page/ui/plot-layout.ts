const HEIGHT = 176;
const TOP = 8;
/** The room of the names below the plot. */
const BELOW = 28;
/** The width of a letter of the widest fonts in the labels, which have the size `--type-xs` at every width of the plot. */
const LETTER = 8;
/** Halves of an axis that are read easily, as parts of a power of ten. */
const HALVES = [1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10];

/** The places of a plot, in pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly bottom: number;
  /** The width of an item. */
  readonly step: number;
  readonly count: number;
  readonly levels: readonly { readonly text: string; readonly y: number }[];
  readonly names: readonly {
    readonly text: string;
    readonly x: number;
    readonly anchor: 'middle' | 'end';
  }[];
  readonly yOf: (value: number) => number;
}

/** Three values for an axis: 0, a half, and a whole that is not below the largest value. */
export function axisOf(most: number): readonly [number, number, number] {
  const least = Math.max(1, most / 2);
  const power = 10 ** Math.floor(Math.log10(least));
  const half = HALVES.map((one) => one * power).find(
    (one) => one >= least && Number.isInteger(one),
  )!;
  return [0, half, 2 * half];
}

export function layoutOf(
  width: number,
  axis: readonly [number, number, number],
  texts: readonly string[],
  names: readonly string[],
): Layout {
  const left = Math.max(...texts.map(({ length }) => length)) * LETTER + 8;
  const bottom = HEIGHT - BELOW;
  const step = Math.max(0, width - left) / Math.max(1, names.length);
  const yOf = (value: number) => bottom - ((bottom - TOP) * value) / axis[2];
  const room = Math.max(...names.map(({ length }) => length), 1) * LETTER + 16;
  const every = Math.max(1, Math.ceil(room / Math.max(1, step)));
  return {
    width,
    height: HEIGHT,
    left,
    top: TOP,
    bottom,
    step,
    count: names.length,
    levels: axis.map((value, index) => ({ text: texts[index]!, y: yOf(value) })),
    names: names.flatMap((text, index) => {
      if (index % every !== 0) return [];
      const x = left + (index + 0.5) * step;
      const isAtEnd = x + (text.length * LETTER) / 2 > width;
      return [{ text, x: isAtEnd ? width : x, anchor: isAtEnd ? 'end' : 'middle' } as const];
    }),
    yOf,
  };
}

/** The left and the right edge of items. */
export function edgesOf({ left, step }: Layout, first: number, last: number) {
  return [left + first * step, left + (last + 1) * step] as const;
}
