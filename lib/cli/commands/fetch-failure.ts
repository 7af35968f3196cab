/** Why `fetch` failed: its own message is "fetch failed". */
export function fetchFailure(error: unknown): string {
  const { cause, message } = error as Error;
  if (!(cause instanceof Error)) return message;
  // Where a host has several addresses, the message is empty and each failure is in a list.
  const [first] = cause instanceof AggregateError ? (cause.errors as Error[]) : [cause];
  return first?.message ?? message;
}
