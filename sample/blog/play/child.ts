/** What a child process of the demo says to it. */
export type Report = { readonly ready: string } | Verified | { readonly rejected: string };

/** A webhook that the consumer has verified, and what it answers. */
export interface Verified {
  readonly verified: unknown;
  readonly path: string;
  /** The place among those of its key. */
  readonly sequence: number;
  readonly status: number;
}

/** Says something to the process that started this one; started by hand, there is nobody to tell. */
export function tellParent(report: Report): void {
  if (process.connected) process.send?.(report);
}

/** Ends this process in good order when the one that started it asks for it, or is gone for whatever reason. */
export function endWithParent(close: () => unknown): void {
  if (process.send === undefined) return;
  const end = () => void Promise.resolve(close()).finally(() => process.exit());
  if (process.connected) process.once('disconnect', end);
  else end();
}
