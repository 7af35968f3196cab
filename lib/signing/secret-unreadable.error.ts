import { ThornError } from '../errors/index.js';

/**
 * Thrown when stored secrets cannot be opened: the key that sealed them is not among `encryption.keys`, or what is
 * stored is not what was sealed.
 */
export class SecretUnreadableError extends ThornError {
  readonly code = 'THORN_SECRET_UNREADABLE';

  /**
   * @param reason `unknown-key`, or `altered` when the text was changed or moved here from elsewhere
   * @param keyId of the key that sealed, as the text says
   * @param owner what the secrets belong to: the id of a subscriber or of a message
   */
  constructor(
    readonly reason: 'unknown-key' | 'altered',
    readonly keyId: string | null,
    readonly owner: string,
  ) {
    super(
      `The secrets of ${owner} cannot be opened: ${EXPLANATIONS[reason](keyId)}. Or give it a new secret.`,
      { reason, keyId, owner },
    );
  }
}

const EXPLANATIONS = {
  'unknown-key': (keyId: string | null) =>
    `they were sealed with the key "${keyId}", which encryption.keys does not name. Add that key`,
  altered: () =>
    'what is stored was altered, belongs to another row, or was sealed with a key of the same id and other bytes. Restore it',
} as const;
