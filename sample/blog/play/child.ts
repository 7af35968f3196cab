/** What a child process of the demo says to it. */
export type Report =
  { readonly ready: string } | { readonly verified: unknown } | { readonly rejected: string };

/** Says something to the process that started this one; started by hand, there is nobody to tell. */
export function tellParent(report: Report): void {
  process.send?.(report);
}

/** Ends this process in good order when the one that started it asks for it, or is gone for whatever reason. */
export function endWithParent(close: () => unknown): void {
  if (process.send === undefined) return;
  process.once('disconnect', () => {
    void Promise.resolve(close()).finally(() => process.exit());
  });
}
