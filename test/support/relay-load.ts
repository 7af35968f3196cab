import { expect } from 'vitest';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import type { ScriptedReceiver } from '../../lib/testing/index.js';
import { watchLateness } from '../services/lateness.js';
import { checkDeliveries } from './check-deliveries.js';
import { printFigures } from './print-figures.js';
import type { OutboxApp } from './apps/outbox-app.js';
import { STORED_MESSAGES } from './stored-messages.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
/** Milliseconds that a test may take, on a busy machine too. */
export const RELAY_TEST_TIMEOUT = IS_LONG ? 240_000 : 120_000;
const BACKLOG = 600;
const MESSAGES = `SELECT id, given_id, lease, due_at FROM ${STORED_MESSAGES}`;
export const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const isDone = (rows: Record<string, unknown>[]) => rows.every(({ due_at: due }) => due === null);

/** Sends messages from one process, and compares them with what a receiver at several paths gets. */
export class RelayLoad {
  readonly sent: string[] = [];

  constructor(
    private readonly sender: OutboxApp,
    private readonly receiver: ScriptedReceiver,
    private readonly paths: readonly string[],
  ) {}

  /** Sends at least `count` messages in small batches, and goes on until `fault` is over, which begins after `after` requests. */
  async sendDuring(count: number, after: number, fault: () => Promise<unknown>): Promise<void> {
    const state = { isOver: false };
    const sending = (async () => {
      while (this.sent.length < count || !state.isOver) {
        if (this.#backlog > BACKLOG && !state.isOver) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          continue;
        }
        const messages = Array.from({ length: 5 }, () => this.sender.message());
        await this.send(messages);
        await new Promise((resolve) => setTimeout(resolve, state.isOver ? 5 : 20));
      }
    })();
    await this.receiver.waitFor(after, { timeout: RELAY_TEST_TIMEOUT / 4 });
    await fault().finally(() => (state.isOver = true));
    await sending;
  }

  get #backlog(): number {
    return this.sent.length * this.paths.length - this.receiver.received.length;
  }

  async send(messages: readonly ReturnType<OutboxApp['message']>[]): Promise<void> {
    await this.sender.pipeline.send(messages);
    this.sent.push(...messages.map(({ id }) => id));
  }

  /** Waits until every message is finished, and compares the requests with the messages. */
  async settled(): Promise<ReturnType<typeof checkDeliveries>> {
    const end = Date.now() + RELAY_TEST_TIMEOUT / 2;
    for (;;) {
      const messages = await this.sender.rows(MESSAGES);
      const deliveries = await this.sender.rows(DELIVERIES);
      if (messages.length === this.sent.length && isDone(messages) && isDone(deliveries)) break;
      if (Date.now() > end) {
        const open = [...messages, ...deliveries].filter((row) => row['due_at'] !== null);
        throw new Error(`not through, ${open.length} rows: ${JSON.stringify(open.slice(0, 5))}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const found = checkDeliveries(this.receiver.received, this.sent, this.paths);
    const counts = { lost: found.lost.length, duplicates: found.duplicates };
    printFigures(String(expect.getState().currentTestName), counts);
    expect(await this.sender.rows(DELIVERIES)).toHaveLength(this.sent.length * this.paths.length);
    return found;
  }

  /** Counts every message in the tables as sent, those of transactions included. */
  async takeStored(): Promise<void> {
    const messages = await this.sender.rows(MESSAGES);
    this.sent.push(...messages.map(({ id, given_id: given }) => idFrom('msg_', id, given)));
  }
}

/** Measures how long commits take that cause an event, in milliseconds, without those that the process stands still. */
export async function measureCommits(
  count: number,
  every: number,
  commit: () => Promise<unknown>,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const began = performance.now();
    const lateness = watchLateness();
    await commit();
    times.push(performance.now() - began - lateness());
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  return times;
}
