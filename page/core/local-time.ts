/** The value of a `datetime-local` control for a time; empty for no time. */
export function localTime(iso = ''): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The time of a value of a `datetime-local` control; empty for an empty value. */
export function isoTime(local: string): string {
  const at = Date.parse(local);
  return Number.isNaN(at) ? '' : new Date(at).toISOString();
}
