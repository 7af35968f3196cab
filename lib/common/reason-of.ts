const MAX_LENGTH = 500;

/** What an error says, for one line of a log: without stack, and without the queries and credentials of URLs. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : error;
  if (typeof text !== 'string') return 'something was thrown that is no error';
  return text
    .replaceAll(/\?[^\s"'<>)\]]+/g, '')
    .replaceAll(/\/\/[^\s/@]+@/g, '//')
    .replaceAll(/\s+/g, ' ')
    .slice(0, MAX_LENGTH);
}
