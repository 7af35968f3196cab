import { type Audience, type Codecs, Message } from '../../message/index.js';
import { type SecretSealer, SecretUnreadableError } from '../../signing/index.js';
import type { Dialect } from '../database/dialect.js';
import type { Row } from '../database/outbox-database.js';
import { UnreadableMessageError } from './unreadable-message.error.js';

/** The columns of a new row, in the order of {@link MessageRowMapper.valuesOf}. */
export const MESSAGE_COLUMNS = [
  'id',
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
  'lease',
  'due_at',
] as const;

// Of a JSON type, which alone holds long texts on every database; and the drivers would parse it.
const JSON_COLUMNS: ReadonlySet<string> = new Set(['recipients', 'body']);

/** What SELECT and RETURNING say to get the columns that {@link MessageRowMapper.messageOf} reads. @param prefix the table's alias and a dot */
export function messageSelection({ asText }: Dialect, prefix = ''): string {
  return MESSAGE_COLUMNS.map((name) =>
    JSON_COLUMNS.has(name) ? `${asText(prefix + name)} AS ${name}` : prefix + name,
  ).join(', ');
}

/** Makes rows of messages, and messages of rows. Subscribers that a message names itself are sealed with their secrets. */
export class MessageRowMapper {
  constructor(
    private readonly codecs: Codecs,
    private readonly sealer: SecretSealer,
  ) {}

  /** In the order of {@link MESSAGE_COLUMNS}. */
  valuesOf(message: Message, lease: string, dueAt: number): unknown[] {
    return [
      message.id,
      message.event,
      message.time,
      message.owner,
      message.audience,
      message.ref,
      JSON.stringify(message.headers),
      JSON.stringify(message.settings),
      this.#sealed(message),
      message.json.toString(),
      message.traceparent,
      message.tracestate,
      lease,
      dueAt,
    ];
  }

  /**
   * The message of a row, or null when its body was expunged.
   *
   * @throws {@link UnreadableMessageError}, or {@link SecretUnreadableError} when what was sealed does not open
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
   * The column `recipients` of a row as it would be stored by now; null when it is so already.
   *
   * @throws {@link SecretUnreadableError} when what was sealed does not open
   */
  resealed(id: string, stored: string): string | null {
    const value: unknown = JSON.parse(stored);
    const isSealed = typeof value === 'string';
    if (isSealed && this.sealer.isCurrent(value)) return null;
    return JSON.stringify(this.sealer.seal(isSealed ? this.sealer.open(value, id) : stored, id));
  }

  /** As JSON: an array, or a text when it is sealed. */
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
      },
      Buffer.from(row['body'] as string),
      this.codecs,
    );
  }
}

function parsed(row: Row, column: string): unknown {
  try {
    return JSON.parse(row[column] as string);
  } catch {
    // The engine's own words quote the text, which may be a secret.
    throw new SyntaxError(`${column} is no JSON`);
  }
}
