/** An error of Prisma that has a code. */
interface KnownRequestError extends Error {
  readonly clientVersion: string;
  readonly meta?: object;
  readonly constructor: new (message: string, details: object) => Error;
}

/**
 * The error that Prisma throws for a write conflict or a deadlock in a statement of its own, and that applications repeat a
 * transaction for. A raw statement, as the library's are, fails with P2010 instead.
 *
 * @param code of Prisma: P2034, or P1008 on SQLite
 */
export function writeConflict(error: unknown, code: string): Error {
  const { constructor: KnownError, message, clientVersion, meta } = error as KnownRequestError;
  return new KnownError(message, { code, clientVersion, meta });
}
