import { ThornError } from '../errors/index.js';

/**
 * Thrown when stored secrets cannot be opened: the key that sealed them is not among `encryption.keys`, or the stored
 * text was altered.
 */
export class SecretUnreadableError extends ThornError {
  readonly code = 'THORN_SECRET_UNREADABLE';

  /**
   * @param reason `unknown-key`, or `altered` when the text was changed or moved here from elsewhere
   * @param keyId id of the key that sealed, as the stored text names it
   * @param rowId id of the subscriber or the message that has the secrets
   */
  constructor(
    readonly reason: 'unknown-key' | 'altered',
    readonly keyId: string | null,
    readonly rowId: string,
  ) {
    super(
      `The secrets of ${rowId} cannot be opened: ${EXPLANATIONS[reason](keyId)}. Or give it a new secret.`,
      { reason, keyId, rowId },
    );
  }
}

const EXPLANATIONS = {
  'unknown-key': (keyId: string | null) =>
    `they were sealed with the key "${keyId}", which encryption.keys does not name. Add that key`,
  altered: () =>
    'the stored text was altered, belongs to another row, or was sealed with a key of the same id and other bytes. Restore it',
} as const;
