import { type Audience, type Codecs, Message } from '../../message/index.js';
import { type SecretSealer, SecretUnreadableError } from '../../signing/index.js';
import type { Dialect } from '../../database/dialect.js';
import type { Row } from '../../database/sql-client.js';
import { keyAndGivenId } from './keys.js';
import { UnreadableMessageError } from './unreadable-message.error.js';

/** The columns of a new row, in the order of {@link MessageRowMapper.valuesOf}. */
export const MESSAGE_COLUMNS = [
  'id',
  'given_id',
  'event',
  'time',
  'owner',
  'audience',
  'ref',
  'headers',
  'settings',
  'recipients',
  'body',
  'traceparent',
  'tracestate',
  'order_key',
  // The last one: its value may be an expression.
  'sequence',
] as const;

// A JSON type holds long texts on every database, but drivers would parse it; so the text is selected.
const JSON_COLUMNS: ReadonlySet<string> = new Set(['recipients', 'body']);

/** The select list that {@link MessageRowMapper.messageOf} reads. @param prefix the table's alias and a dot */
export function messageSelection(
  { asText }: Dialect,
  prefix: string,
  columns: readonly string[] = MESSAGE_COLUMNS,
): string {
  return columns
    .map((name) => (JSON_COLUMNS.has(name) ? `${asText(prefix + name)} AS ${name}` : prefix + name))
    .join(', ');
}

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
    const { id, isIdNew } = message;
    const [key, givenId] = isIdNew ? [id.slice(4), null] : keyAndGivenId('msg_', id);
    return [
      key,
      givenId,
      message.event,
      message.time,
      message.owner,
      message.audience,
      message.ref,
      JSON.stringify(message.headers),
      JSON.stringify(message.settings),
      this.#sealed(message),
      message.text,
      message.traceparent,
      message.tracestate,
      message.key,
      message.sequence,
    ];
  }

  /**
   * Reads the message of a row; null when the body was expunged.
   *
   * @throws {@link UnreadableMessageError}, or {@link SecretUnreadableError} when a sealed value cannot be opened
   */
  messageOf(row: Row): Message | null {
    try {
      return row['body'] === null ? null : this.#parsed(row);
    } catch (error) {
      if (error instanceof SecretUnreadableError) throw error;
      throw new UnreadableMessageError(String(row['id']), error);
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

  #parsed(row: Row): Message {
    const id = row['id'] as string;
    const stored: unknown = parsed(row, 'recipients');
    const recipients: unknown =
      typeof stored === 'string' ? JSON.parse(this.sealer.open(stored, id)) : stored;
    return new Message(
      {
        id,
        event: row['event'] as string,
        time: Number(row['time']),
        ref: row['ref'] as string | null,
        owner: row['owner'] as string | null,
        audience: row['audience'] as Audience,
        headers: parsed(row, 'headers') as Message['headers'],
        settings: parsed(row, 'settings') as Message['settings'],
        recipients: recipients as Message['recipients'],
        traceparent: row['traceparent'] as string | null,
        tracestate: row['tracestate'] as string | null,
        key: row['order_key'] as string | null,
        sequence: row['sequence'] === null ? null : Number(row['sequence']),
      },
      row['body'] as string,
      this.codecs,
    );
  }
}

function parsed(row: Row, column: string): unknown {
  try {
    return JSON.parse(row[column] as string);
  } catch {
    // The engine's own error quotes the text, which may contain a secret.
    throw new SyntaxError(`${column} is not JSON`);
  }
}
