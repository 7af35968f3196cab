import { createHash } from 'node:crypto';
import { isPreparedLost } from './database-errors.js';
import type { PgClient } from './sql-driver.js';

/** A text is prepared after this number of runs, so that a text that is made anew each time never is. */
const RUNS = 10;
/** The most statements that a connection keeps prepared. */
const MOST = 100;
/** The most texts whose runs are counted. */
const MOST_COUNTED = 500;

/** A statement as `pg` takes it: with a name each connection prepares it once. */
export interface NamedText {
  readonly text: string;
  readonly name?: string;
}

/**
 * Gives names to the statements that the connections of a pool run again and again: PostgreSQL then parses and plans
 * each of them once per connection. Behind a pooler no statement gets a name, because the next run may be on another
 * server connection.
 */
export class PreparedStatements {
  readonly #names = new Map<string, NamedText>();
  readonly #runs = new Map<string, number>();
  #isDirect: Promise<boolean> | undefined;

  /** Finds the name of a statement; a promise where the database has to be asked first. */
  find(text: string, client: PgClient): NamedText | Promise<NamedText> {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const runs = (this.#runs.get(text) ?? 0) + 1;
    if (runs < RUNS || this.#names.size >= MOST) {
      if (this.#runs.size >= MOST_COUNTED) this.#runs.clear();
      this.#runs.set(text, runs);
      return { text };
    }
    this.#isDirect ??= isDirect(client).catch((error: unknown) => {
      this.#isDirect = undefined;
      throw error;
    });
    return this.#isDirect.then((isSafe) => this.#add(text, isSafe));
  }

  /** Forgets all names: other connections may be like this one. @returns true when the connection is of no more use */
  forgetIfLost(error: unknown): boolean {
    if (!isPreparedLost(error)) return false;
    this.#names.clear();
    return true;
  }

  #add(text: string, isSafe: boolean): NamedText {
    this.#runs.delete(text);
    const named = isSafe ? { text, name: nameOf(text) } : { text };
    this.#names.set(text, this.#names.get(text) ?? named);
    return this.#names.get(text)!;
  }
}

// The name is made from the text, because another copy of the library may share the connections.
function nameOf(text: string): string {
  return `thorn_${createHash('sha256').update(text).digest('base64url').slice(0, 16)}`;
}

/**
 * Tells whether the answering server process is the one that the connection was opened to. A pooler reports a number of
 * its own.
 */
async function isDirect(client: PgClient): Promise<boolean> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  return (rows[0] as { readonly pid: number }).pid === client.processID;
}
