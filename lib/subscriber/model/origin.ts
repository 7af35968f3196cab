/** The origin of a URL; a URL that cannot be read has none. */
export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : '';
}
