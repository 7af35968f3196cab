import { ThornError } from '../../errors/index.js';

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
