import { createHash } from 'node:crypto';
import type { Statement } from './dialect.js';
import type { Row } from './outbox-database.js';
import type { PgClient } from './pg-client.js';

/** Statements by which an application forgets what is prepared, its own and ours. */
const FORGETS = /\b(?:DISCARD|DEALLOCATE)\b/i;
/** The server's word for a prepared statement that it does not know. */
const UNKNOWN_STATEMENT = '26000';
/** Each is kept by the server. */
const MOST_NAMES = 50;

/**
 * The statements that one connection of PostgreSQL has prepared: they take it half of the time. Only where the connection
 * leads to the server itself. A pooler between gives each transaction another one, which does not know them. It has to
 * make up the process that it tells its clients, since it has none of its own to give.
 */
export class PreparedStatements {
  /** A server did not know what was prepared: no connection of this process prepares anything more. */
  static #areLost = false;

  readonly #names = new Map<string, string>();
  readonly #prepared = new Set<string>();
  #isDirect: boolean | undefined;
  #forgotten = 0;

  constructor(private readonly client: Pick<PgClient, 'processID'>) {}

  /** The question whether the connection leads to the server itself, until it is answered. */
  get question(): (Statement & { resolve(rows: readonly Row[]): void }) | undefined {
    if (this.#isDirect !== undefined) return undefined;
    return {
      sql: 'SELECT pg_backend_pid() AS pid',
      parameters: [],
      resolve: ([row]) => (this.#isDirect = Number(row?.['pid']) === this.client.processID),
    };
  }

  /** The name of a statement; undefined when it is not to be prepared. */
  nameOf(sql: string): string | undefined {
    if (this.#isDirect !== true || PreparedStatements.#areLost) return undefined;
    const known = this.#names.get(sql);
    if (known !== undefined || this.#names.size === MOST_NAMES) return known;
    // Of the text: another copy of this library on the connection, or the application, may have names of its own.
    const name = `thorn_${createHash('sha256').update(sql).digest('hex').slice(0, 32)}`;
    this.#names.set(sql, name);
    return name;
  }

  isPrepared(name: string): boolean {
    return this.#prepared.has(name);
  }

  /** The server has run the statement of that name. */
  confirm(name: string): void {
    this.#prepared.add(name);
  }

  /** How often the application has made the server forget. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** The application runs a statement of its own on the connection. */
  notice(sql: string): void {
    if (this.#isDirect !== true || !FORGETS.test(sql)) return;
    this.#forgotten++;
    this.#prepared.clear();
  }

  /** Prepares everything anew: columns may have other types now, and what the server has is not known. */
  fail(error: unknown): void {
    this.#prepared.clear();
    // A hook of the application may have rejected with anything.
    const { driverError = error } = (error ?? {}) as { driverError?: unknown };
    const { code } = (driverError ?? {}) as { code?: unknown };
    if (code === UNKNOWN_STATEMENT) PreparedStatements.#areLost = true;
  }
}
