import type { Statement } from './dialect.js';
import type { Row } from './outbox-database.js';

/** A client of pg, as far as it tells which process of the server it was given. */
interface Connected {
  readonly processID?: number | null;
}

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

  constructor(private readonly client: Connected) {}

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
    const name = `thorn_${this.#names.size + 1}`;
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

  /** The application runs a statement of its own on the connection. */
  notice(sql: string): void {
    if (this.#prepared.size > 0 && FORGETS.test(sql)) this.#prepared.clear();
  }

  /** Prepares everything anew: columns may have other types now, and what the server has is not known. */
  fail(error: unknown): void {
    this.#prepared.clear();
    const { code, driverError = { code } } = error as {
      code?: unknown;
      driverError?: { code?: unknown };
    };
    if (driverError.code === UNKNOWN_STATEMENT) PreparedStatements.#areLost = true;
  }
}
