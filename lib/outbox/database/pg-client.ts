import type { EventEmitter } from 'node:events';

/** A client of pg. */
export interface PgClient extends EventEmitter {
  /** Undefined for clients that are not written in JavaScript. */
  readonly connection?: PgConnection;
  /** The process of the server, or what a pooler has made up. */
  readonly processID?: number | null;
  /** True while the server awaits a statement. */
  readonly readyForQuery?: boolean;
  /** Whether statements are sent before those in front of them are answered. */
  readonly pipeline?: boolean;
  /** Since 8.17: `I` outside of transactions, `T` within one, `E` within one that has failed. */
  getTransactionStatus?: () => unknown;
  query: (sql: unknown, ...rest: unknown[]) => unknown;
}

/** A connection of pg. Its methods write the messages of PostgreSQL's protocol to its stream. */
export interface PgConnection extends EventEmitter {
  readonly stream: PgStream;
  query: (text: string) => void;
  close(statement: { readonly type: 'S'; readonly name: string }): void;
  parse?(statement: { readonly name?: string | undefined; readonly text: string }): void;
  bind(values: {
    readonly statement?: string | undefined;
    readonly values?: readonly (string | null)[];
  }): void;
  describe(portal: { readonly type: 'P' }): void;
  execute(portal: object): void;
  sync(): void;
}

interface PgStream {
  readonly writable: boolean;
  write(bytes: Uint8Array): unknown;
  cork?(): void;
  uncork?(): void;
  destroy(error?: unknown): unknown;
}

/** Gathers what a connection would write, because each write would be a piece of its own for the system. */
export class WriteBuffer {
  readonly connection: PgConnection;
  readonly #parts: Uint8Array[] = [];

  constructor(connection: PgConnection) {
    const stream = { writable: true, write: (bytes: Uint8Array) => this.#parts.push(bytes) };
    this.connection = Object.create(connection, { stream: { value: stream } }) as PgConnection;
    // A method of its own, since that of the connection may be replaced.
    this.connection.parse = connection.parse!;
  }

  /** What a statement without values is in the extended protocol, but for the Sync at its end. */
  static bytesOf(text: string, connection: PgConnection): Buffer {
    const buffer = new WriteBuffer(connection);
    buffer.connection.parse!({ text });
    buffer.connection.bind({});
    buffer.connection.execute({});
    return buffer.take();
  }

  /** What was written since the last call. */
  take(): Buffer {
    return Buffer.concat(this.#parts.splice(0));
  }
}
