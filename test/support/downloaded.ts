import type { Download } from 'playwright-core';
import { buffer } from 'node:stream/consumers';

/** The file of a download. Its path is on the side of the browser, which another process has started. */
export async function downloaded(download: Download): Promise<Buffer> {
  return buffer(await download.createReadStream());
}
