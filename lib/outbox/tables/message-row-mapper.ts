import { type Audience, type Codecs, Message } from '../../message/index.js';
import { type SecretSealer, SecretUnreadableError } from '../../signing/index.js';
import { ThornError } from '../../errors/index.js';
import type { NewRowOf } from '../../database/schema/table-definition.js';
import type { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import { keyAndGivenId } from './keys.js';
import { type LoadedMessage, MESSAGE_COLUMNS } from './messages.js';

/** Thrown when a row of `thorn_messages` was not written by this version. The row stays as it is. */
export class UnreadableMessageError extends ThornError {
  readonly code = 'THORN_UNREADABLE_MESSAGE';

  constructor(message: string, cause: unknown) {
    super(
      `The row of ${message} in thorn_messages cannot be read: ${String(cause)}. Repair or delete the row; the worker reads it again once an hour.`,
      { message },
      cause,
    );
  }
}

type NewMessage = Omit<NewRowOf<typeof OUTBOX_TABLES.messages>, 'position'>;

/**
 * Converts messages to rows and rows to messages. Subscribers that a message names itself are sealed with their
 * secrets.
 */
export class MessageRowMapper {
  constructor(
    private readonly codecs: Codecs,
    private readonly sealer: SecretSealer,
  ) {}

  /** The values of a row, in the order of {@link MESSAGE_COLUMNS}. */
  valuesOf(message: Message): unknown[] {
    const row = this.#rowOf(message);
    return MESSAGE_COLUMNS.map((name) => row[name]);
  }

  #rowOf(message: Message): NewMessage {
    const { id, isIdNew } = message;
    const [key, givenId] = isIdNew ? [id.slice(4), null] : keyAndGivenId('msg_', id);
    return {
      id: key,
      given_id: givenId,
      event: message.event,
      time: message.time,
      owner: message.owner,
      audience: message.audience,
      ref: message.ref,
      subject: message.subject,
      headers: JSON.stringify(message.headers),
      settings: JSON.stringify(message.settings),
      recipients: this.#sealed(message),
      body: message.text,
      traceparent: message.traceparent,
      tracestate: message.tracestate,
      order_key: message.key,
      sequence: message.sequence,
    };
  }

  /**
   * Reads the message of a row; null when the body was expunged.
   *
   * @throws {@link UnreadableMessageError}, or {@link SecretUnreadableError} when a sealed value cannot be opened
   */
  messageOf(row: LoadedMessage): Message | null {
    try {
      return row.body === null ? null : this.#parsed(row);
    } catch (error) {
      if (error instanceof SecretUnreadableError) throw error;
      throw new UnreadableMessageError(row.id, error);
    }
  }

  /**
   * The column `recipients` sealed with the first key; null when the stored text needs no change.
   *
   * @throws {@link SecretUnreadableError} when a sealed value cannot be opened
   */
  resealed(id: string, stored: string): string | null {
    const value: unknown = JSON.parse(stored);
    const isSealed = typeof value === 'string';
    if (isSealed && this.sealer.isCurrent(value)) return null;
    return JSON.stringify(this.sealer.seal(isSealed ? this.sealer.open(value, id) : stored, id));
  }

  /** The column as JSON: an array, or a string when sealed. */
  #sealed({ id, recipients }: Message): string {
    const json = JSON.stringify(recipients);
    const isSecret = this.sealer.seals && recipients.length > 0;
    return isSecret ? JSON.stringify(this.sealer.seal(json, id)) : json;
  }

  #parsed(row: LoadedMessage): Message {
    const id = row.id;
    const stored: unknown = parsed(row, 'recipients');
    const recipients: unknown =
      typeof stored === 'string' ? JSON.parse(this.sealer.open(stored, id)) : stored;
    return new Message(
      {
        id,
        event: row.event,
        time: Number(row.time),
        ref: row.ref,
        subject: row.subject,
        owner: row.owner,
        audience: row.audience as Audience,
        headers: parsed(row, 'headers') as Message['headers'],
        settings: parsed(row, 'settings') as Message['settings'],
        recipients: recipients as Message['recipients'],
        traceparent: row.traceparent,
        tracestate: row.tracestate,
        key: row.order_key,
        sequence: row.sequence === null ? null : Number(row.sequence),
      },
      row.body!,
      this.codecs,
    );
  }
}

function parsed(row: LoadedMessage, column: 'recipients' | 'headers' | 'settings'): unknown {
  try {
    return JSON.parse(row[column]);
  } catch {
    // The engine's own error quotes the text, which may contain a secret.
    throw new SyntaxError(`${column} is not JSON`);
  }
}
