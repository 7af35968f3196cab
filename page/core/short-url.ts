/** The longest path that is shown whole, in characters. */
const LONGEST = 36;

/** A URL for a list: `https` goes without saying, and a long path keeps its beginning and its end. */
export function shortUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return url;
  }
  const { protocol, host, pathname, search } = parsed;
  const path = pathname === '/' && search === '' ? '' : pathname + search;
  const scheme = protocol === 'https:' ? '' : `${protocol}//`;
  const shown = path.length > LONGEST ? `${path.slice(0, 15)}…${path.slice(-20)}` : path;
  return scheme + host + shown;
}
