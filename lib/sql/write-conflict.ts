/** An error of Prisma that has a code. */
interface KnownRequestError extends Error {
  readonly clientVersion: string;
  readonly meta?: object;
  readonly constructor: new (message: string, details: object) => Error;
}

/**
 * The error that Prisma throws for a write conflict or a deadlock in a statement of its own, and that applications repeat a
 * transaction for. A raw statement, as the library's are, fails with P2010 instead.
 */
export function writeConflict(error: unknown): Error {
  const { constructor: KnownError, message, clientVersion, meta } = error as KnownRequestError;
  return new KnownError(message, { code: 'P2034', clientVersion, meta });
}
