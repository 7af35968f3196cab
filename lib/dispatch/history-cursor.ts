import { createHash } from 'node:crypto';
import { InvalidInputError, ThornError } from '../errors/index.js';
import type { OwnerScope } from '../subscriber/index.js';
import type { HistoryPlace } from './strategies/stored-events.js';

/** The position of a reader in the history. */
export interface HistoryCursor extends HistoryPlace {
  /** Messages behind it that were sent from then on were there, in milliseconds since the Unix epoch. */
  readonly time: number;
}

const FORM = /^(\d{1,16})\.(\d{1,16})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{11})$/;

/** Formats a cursor as an opaque text, which is valid for readers of this owner only. */
export function formatHistoryCursor(
  { position, time, key }: HistoryCursor,
  scope: OwnerScope,
): string {
  return Buffer.from(`${position}.${time}.${key}.${readerOf(scope)}`).toString('base64url');
}

/**
 * Parses the text of {@link formatHistoryCursor}.
 *
 * @throws {@link InvalidInputError} for another text, and for the cursor of another owner or of another list
 */
export function parseHistoryCursor(text: unknown, scope: OwnerScope): HistoryCursor {
  const plain = typeof text === 'string' ? Buffer.from(text, 'base64url').toString('latin1') : '';
  const [, position, time, key, reader] = FORM.exec(plain) ?? [];
  if (reader === undefined) {
    throw new InvalidInputError('after', 'must be the "next" of an earlier page, or "now"');
  }
  if (reader !== readerOf(scope)) {
    throw new InvalidInputError('after', 'must be the "next" of a page of the same owner');
  }
  return { position: Number(position), time: Number(time), key: key! };
}

/** A hash by which a cursor of another owner, or of another list, is refused. */
function readerOf(scope: OwnerScope): string {
  const text = JSON.stringify(['history', scope === 'any' ? scope : [scope.owner]]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 11);
}

/**
 * Thrown when messages behind a cursor are no longer kept: the reader may have missed some. To go on, begin again without
 * a cursor, or with `now`.
 */
export class CursorExpiredError extends ThornError {
  readonly code = 'THORN_CURSOR_EXPIRED';

  constructor() {
    super(
      'The cursor is older than the messages that are kept: some may be missed. Begin again without a cursor at the oldest ' +
        'message, or with "now" at the next one.',
    );
  }
}
