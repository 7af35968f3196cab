/** Longest part that is left to the platform: the time that it may take grows with the product of both lengths. */
const SHORT = 32;

/**
 * Finds a part in texts, in a time that grows with the text alone, whatever both are: either may be an attacker's.
 *
 * @returns whether a text holds the part
 */
export function textSearch(part: string): (text: string) => boolean {
  if (part.length <= SHORT) return (text) => text.includes(part);
  const borders = bordersOf(part);
  return (text) => {
    if (text.length < part.length) return false;
    let matched = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      while (matched > 0 && code !== part.charCodeAt(matched)) matched = borders[matched - 1]!;
      if (code === part.charCodeAt(matched)) matched++;
      if (matched === part.length) return true;
    }
    return false;
  };
}

/** Knuth, Morris and Pratt: of each beginning of the part, how much of its end is the part's beginning again. */
function bordersOf(part: string): Uint32Array {
  const borders = new Uint32Array(part.length);
  let border = 0;
  for (let at = 1; at < part.length; at++) {
    const code = part.charCodeAt(at);
    while (border > 0 && code !== part.charCodeAt(border)) border = borders[border - 1]!;
    if (code === part.charCodeAt(border)) border++;
    borders[at] = border;
  }
  return borders;
}
