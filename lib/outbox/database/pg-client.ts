import type { EventEmitter } from 'node:events';

/** A client of pg. */
export interface PgClient extends EventEmitter {
  /** Undefined for clients that are not written in JavaScript. */
  readonly connection?: PgConnection;
  readonly processID?: number | null;
  /** True while the server works on nothing of this client. */
  readonly readyForQuery?: boolean;
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
export class WireBuffer {
  readonly connection: PgConnection;
  readonly #parts: Uint8Array[] = [];

  constructor(connection: PgConnection) {
    const stream = { writable: true, write: (bytes: Uint8Array) => this.#parts.push(bytes) };
    this.connection = Object.create(connection, { stream: { value: stream } }) as PgConnection;
    // A method of its own, since that of the connection may be replaced.
    this.connection.parse = connection.parse!;
  }

  /** The messages of a statement without values, up to the Sync that would end them. */
  static messagesOf(text: string, connection: PgConnection): Buffer {
    const buffer = new WireBuffer(connection);
    buffer.connection.parse!({ text });
    buffer.connection.bind({});
    buffer.connection.execute({});
    return buffer.take();
  }

  /** What was written since the last time. */
  take(): Buffer {
    return Buffer.concat(this.#parts.splice(0));
  }
}
