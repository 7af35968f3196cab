/** What a statement does to the transaction of its connection. */
export interface TransactionControl {
  readonly does: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback to';
  readonly savepoint?: string;
  /** True if another transaction begins at once. */
  readonly chains?: boolean;
}

/** What a statement does to a savepoint. */
export interface SavepointControl extends TransactionControl {
  readonly savepoint: string;
}

const COMMENTS = String.raw`(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*`;
const CONTROL = new RegExp(
  `^${COMMENTS}(?:(BEGIN|START\\s+TRANSACTION)|(COMMIT|END)|(ROLLBACK|ABORT)|SAVEPOINT|RELEASE)\\b`,
  'i',
);
const SAVEPOINT =
  /(?:(SAVEPOINT)|(RELEASE)(?:\s+SAVEPOINT)?|ROLLBACK(?:\s+WORK|\s+TRANSACTION)?\s+TO(?:\s+SAVEPOINT)?)\s+(?:"([^"]+)"|`([^`]+)`|([^\s;]+))/iy;

const CHAIN = /\bAND\s+CHAIN\b/i;

/**
 * Reads a statement that begins or ends a transaction or a savepoint. Of a text of several statements it reads the first
 * one.
 *
 * @returns undefined for every other statement
 */
export function parseControl(sql: string): TransactionControl | undefined {
  const control = CONTROL.exec(sql);
  if (control === null) return undefined;
  const [whole, begin, commit, rollback] = control;
  if (begin !== undefined) return { does: 'begin' };
  const chains = CHAIN.test(sql);
  if (commit !== undefined) return { does: 'commit', chains };
  SAVEPOINT.lastIndex = whole.search(/\w+$/);
  const named = SAVEPOINT.exec(sql);
  if (named === null) return rollback === undefined ? undefined : { does: 'rollback', chains };
  const [, savepoint, release, ...names] = named;
  const does = savepoint ? 'savepoint' : release ? 'release' : 'rollback to';
  return { does, savepoint: names.find((name) => name !== undefined)!.toLowerCase() };
}
