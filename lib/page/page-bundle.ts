/** A file of the page for browsers. */
export interface PageFile {
  /** The name of the file, with a hash of its content, so that browsers may cache the file for ever. */
  readonly name: string;
  readonly type: string;
  /** True: the first screen needs the file. */
  readonly isFirst: boolean;
  /** The language whose texts the file has; null for every other file. */
  readonly language: 'en' | 'de' | null;
  /** The content, compressed with gzip, in base64. */
  readonly gzip: string;
}

/** The files that the sources in `page/` are built into. `tools/build-page.mjs` puts them in the place of this empty list. */
export const PAGE_FILES: readonly PageFile[] = [];
