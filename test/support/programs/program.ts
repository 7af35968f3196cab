import { setTimeout as passes } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import type { OutboxApp } from '../apps/outbox-app.js';
import { SENT_BY_HAND, Sent, shelfOf } from './rows.js';
import { type Draw, WRITES } from './writes.js';

/** So few that connections meet. */
const IDS = [1, 2, 3];
/** Refused by what another connection has committed, and by deadlocks: the application's to repeat. */
const CONFLICTS: ReadonlySet<string> = new Set([
  ...['23505', '40001', '40P01'],
  ...['ER_DUP_ENTRY', 'ER_LOCK_DEADLOCK', 'ER_CHECKREAD'],
  ...['SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_UNIQUE'],
  'THORN_WRITE_UNCLEAR',
]);
const DUPLICATES: ReadonlySet<string> = new Set([
  ...['23505', 'ER_DUP_ENTRY', 'SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_UNIQUE'],
]);

class RolledBack extends Error {}

/** One caller: runs transactions at random, one after the other, on whichever connection is free. */
export class Actor {
  /** What it did, for whoever looks into a fault. */
  readonly steps: string[] = [];
  /** Errors that no other connection is the cause of. */
  readonly errors: string[] = [];
  #count = 0;

  constructor(
    private readonly name: string,
    private readonly app: OutboxApp,
    private readonly random: () => number,
    private readonly writes: readonly string[],
  ) {}

  /** Runs so many transactions. It ends early by the signal of a test that has run out of time, which would slow down the next one. */
  async run(transactions: number, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < transactions; at++) {
      signal?.throwIfAborted();
      await this.#pause();
      if (this.random() < 0.3) await this.#alone();
      else await this.#transaction();
    }
  }

  /** A write that is in no transaction of the caller. */
  async #alone(): Promise<void> {
    const { write, text, draw } = this.#draw();
    const end = await this.#endOf(write(this.app.dataSource.manager, draw));
    this.steps.push(`${text}${end}`);
    // It has read nothing before, so no other connection can have changed what it had read.
    if (end.includes('ER_CHECKREAD')) this.errors.push(`${text}${end}`);
  }

  async #transaction(): Promise<void> {
    const id = `${this.name}.${++this.#count}`;
    const steps: string[] = [];
    const [length, isMarked, isCommitted] = [this.#upTo(4), this.#chance(0.5), this.#chance(0.8)];
    const end = await this.#endOf(
      this.app.dataSource.transaction(async (manager) => {
        for (let at = 0; at < length; at++) await this.#step(manager, steps, 0);
        if (isMarked) await manager.insert(Sent, { id, name: null });
        if (!isCommitted) throw new RolledBack();
      }),
    );
    this.steps.push(`${id} { ${steps.join('; ')} }${end}`);
  }

  async #step(manager: EntityManager, steps: string[], depth: number): Promise<void> {
    await this.#pause();
    const dice = this.random();
    if (dice < 0.15) return this.#send(manager, steps);
    if (dice < 0.7 || depth > 1) {
      const { write, text, draw } = this.#draw();
      steps.push(text);
      await write(manager, draw);
      return;
    }
    const inner: string[] = [];
    const [length, isKept] = [this.#upTo(3), this.#chance(0.6)];
    try {
      await manager.transaction(async (nested) => {
        for (let at = 0; at < length; at++) await this.#step(nested, inner, depth + 1);
        if (!isKept) throw new RolledBack();
      });
      steps.push(`( ${inner.join('; ')} )`);
    } catch (error) {
      steps.push(`( ${inner.join('; ')} ) ${codeOf(error)}`);
      if (!(error instanceof RolledBack || DUPLICATES.has(codeOf(error)))) throw error;
    }
  }

  async #send(manager: EntityManager, steps: string[]): Promise<void> {
    const nonce = `${this.name}.${++this.#count}`;
    const key = shelfOf(this.#upTo(2));
    steps.push(`send ${key} ${nonce}`);
    await manager.insert(Sent, { id: nonce, name: key });
    const message = this.app.message({ event: SENT_BY_HAND, data: { nonce }, orderBy: { key } });
    this.app.transactions.enlist(message, manager);
  }

  #draw() {
    const name = this.writes[Math.floor(this.random() * this.writes.length)]!;
    const first = Math.floor(this.random() * IDS.length);
    const ids = Array.from({ length: this.#upTo(2) }, (_, at) => IDS[(first + at) % IDS.length]!);
    const value = Math.floor(this.random() * 3);
    const draw: Draw = {
      ...{ ids, value, state: this.#chance(0.5) ? 'a' : 'b' },
      pause: () => this.#pause(),
    };
    return { write: WRITES[name]!, draw, text: `${name} ${ids.join()} ${value}${draw.state}` };
  }

  /** @returns how a transaction has ended, as a text */
  async #endOf(work: Promise<unknown>): Promise<string> {
    try {
      await work;
      return '';
    } catch (error) {
      if (error instanceof RolledBack) return ' rolled back';
      const end = ` failed: ${codeOf(error)}: ${String(error)}`;
      if (!CONFLICTS.has(codeOf(error))) this.errors.push(end);
      return end;
    }
  }

  async #pause(): Promise<void> {
    if (this.#chance(0.6)) await passes(Math.floor(this.random() * 4));
  }

  #chance(share: number): boolean {
    return this.random() < share;
  }

  #upTo(most: number): number {
    return 1 + Math.floor(this.random() * most);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof RolledBack) return 'rolled back';
  const { code, name } = error as Error & { readonly code?: string };
  return code ?? name;
}
