/** An error of Prisma that has a code. */
interface KnownRequestError extends Error {
  readonly clientVersion: string;
  readonly meta?: object;
  readonly constructor: new (message: string, details: object) => Error;
}

/**
 * The error that Prisma throws when one of its own statements fails with a write conflict or a deadlock. Applications
 * repeat a transaction that fails with it. A raw statement, such as a statement of the library, fails with P2010
 * instead.
 *
 * @param code the code of Prisma: P2034, or P1008 on SQLite
 */
export function writeConflict(error: unknown, code: string): Error {
  const { constructor: KnownError, message, clientVersion, meta } = error as KnownRequestError;
  return new KnownError(message, { code, clientVersion, meta });
}
