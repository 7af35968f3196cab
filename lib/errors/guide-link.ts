/** The guides. `npm run set-repository` fills OWNER in before a release. */
const GUIDES = 'https://github.com/OWNER/nestjs-thorn/blob/main/docs';

/** @param anchor a heading of the page, in lower case */
export function guideLink(page: 'errors' | 'rest/problems', anchor: string): string {
  return `${GUIDES}/${page}.md#${anchor}`;
}
