/** A file of the page for browsers. */
export interface PageFile {
  /** With a hash of its content. */
  readonly name: string;
  readonly type: string;
  /** True: the first screen needs the file. */
  readonly isFirst: boolean;
  /** The content, compressed with gzip, in base64. */
  readonly gzip: string;
}

/** The files that `page/` is built into. `tools/build-page.mjs` writes them in the place of this empty list. */
export const PAGE_FILES: readonly PageFile[] = [];
