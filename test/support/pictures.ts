import type { Page } from 'playwright-core';

/** Pictures are compared in squares of this many pixels, so that the smoothing of letters does not count. */
const SQUARE = 12;
/** Squares differ when a colour of theirs is further apart, of 255. */
const MOST_APART = 24;

/** The same picture in a quarter of the bytes, and to the eye as it was. */
export async function asWebp(page: Page, png: Buffer): Promise<Buffer> {
  const base64 = await page.evaluate<string>(`(async () => {
    const picture = new Image();
    picture.src = 'data:image/png;base64,${png.toString('base64')}';
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    canvas.getContext('2d').drawImage(picture, 0, 0);
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
    return new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result.split(',')[1]);
      reader.readAsDataURL(blob);
    });
  })()`);
  return Buffer.from(base64, 'base64');
}

/** A part of the squares that differ, from 0 to 1; 1 for pictures of different sizes. */
export async function differenceOf(page: Page, one: Buffer, other: Buffer): Promise<number> {
  return page.evaluate<number>(`(async () => {
    const squaresOf = async (base64) => {
      const picture = new Image();
      // Browsers look at the bytes, whether they are PNG or WebP.
      picture.src = 'data:image/png;base64,' + base64;
      await picture.decode();
      const [width, height] = [picture.width, picture.height];
      const canvas = new OffscreenCanvas(Math.ceil(width / ${SQUARE}), Math.ceil(height / ${SQUARE}));
      const context = canvas.getContext('2d');
      context.imageSmoothingQuality = 'high';
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      return { width, height, data: context.getImageData(0, 0, canvas.width, canvas.height).data };
    };
    const one = await squaresOf('${one.toString('base64')}');
    const other = await squaresOf('${other.toString('base64')}');
    if (one.width !== other.width || one.height !== other.height) return 1;
    let differing = 0;
    for (let at = 0; at < one.data.length; at += 4) {
      const isApart = (part) => Math.abs(one.data[at + part] - other.data[at + part]) > ${MOST_APART};
      if (isApart(0) || isApart(1) || isApart(2)) differing += 1;
    }
    return differing / (one.data.length / 4);
  })()`);
}
