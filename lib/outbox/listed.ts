const SHOWN = 3;

/** Ids, for one line of a log. */
export function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, SHOWN);
  return shown.join(', ') + (ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : '');
}
