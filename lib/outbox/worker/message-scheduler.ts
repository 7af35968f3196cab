import { type Clock, newId } from '../../common/index.js';
import type { FanOut, FoundRecipients } from '../../dispatch/index.js';
import type { Message } from '../../message/index.js';
import { againAt } from './postponed-until.js';
import { newDelivery } from '../model/delivery-state.js';
import type { MessageHolding } from '../store/held-leases.js';
import type { Held } from '../tables/leases.js';
import { logFault } from '../../common/log-fault.js';
import type { Line } from './delivery-job.js';
import type { Row } from '../database/outbox-database.js';
import type { RecipientHosts } from '../../message/recipient-host.js';
import type { Shard } from '../store/outbox-store.js';

/** What a {@link DispatchDesk} works with. */
export interface DeskTools {
  readonly fanOut: FanOut;
  readonly clock: Clock;
}

/** Makes jobs of the messages that this process holds, one for each recipient. */
export class DispatchDesk {
  readonly #tools: DeskTools;
  readonly #line: Line;
  readonly #hosts: RecipientHosts;

  constructor(tools: DeskTools, line: Line, hosts: RecipientHosts) {
    this.#tools = tools;
    this.#line = line;
    this.#hosts = hosts;
  }

  /**
   * Sends a message to everyone who has no delivery of it yet.
   *
   * @param handled ids of subscribers that have one
   */
  async fanOut(
    shard: Shard,
    message: Message,
    lease: string,
    leasedUntil: number,
    handled?: ReadonlySet<string>,
  ): Promise<void> {
    const holding: MessageHolding = {
      id: message.id,
      message,
      lease,
      leasedUntil,
      open: 0,
      againAt: null,
      isLost: false,
      stale: [],
    };
    shard.heldMessages.add(holding);
    let found: FoundRecipients;
    try {
      found = await this.#tools.fanOut.lookUp(message);
    } catch (error) {
      const what = `Finding the subscribers of ${message.id} (${message.event}) failed`;
      logFault(what, error, { messageId: message.id, event: message.event });
      return this.#postpone(shard, holding, message.time);
    }
    const { recipients, isComplete } = found;
    const now = this.#tools.clock.now();
    if (!isComplete) holding.againAt = againAt(message.time, now);
    const missing =
      handled === undefined ? recipients : recipients.filter(({ id }) => !handled.has(id));
    if (missing.length === 0) return shard.recorder.finish(holding);
    holding.open = missing.length;
    for (const recipient of missing) {
      this.#line.add({
        id: newId('dlv_', now),
        shard,
        message,
        recipient,
        host: this.#hosts.of(recipient),
        isRetry: false,
        state: newDelivery(now),
        requests: 0,
        attemptedAt: null,
        holding,
        first: holding,
        hasWaited: false,
        startBy: null,
      });
    }
  }

  /** Goes on with messages that were claimed. */
  async resume(shard: Shard, rows: readonly Row[], lease: string, until: number): Promise<void> {
    const taken = rows.filter(({ id }) => !this.#adopts(shard, id as string, lease, until));
    if (taken.length === 0) return;
    const handled = await shard.messages.handled(taken.map(({ id }) => id as string));
    await Promise.all(
      taken.map(async (row) => {
        const [id, since] = [row['id'] as string, Number(row['time'])];
        let message: Message | null;
        try {
          message = shard.rows.messageOf(row);
        } catch (error) {
          logFault(`The message ${id} is left as it is`, error, { messageId: id });
          return this.#postpone(shard, { id, lease }, since);
        }
        if (message === null) return shard.recorder.finish({ id, lease, againAt: null });
        return this.fanOut(shard, message, lease, until, handled.get(message.id) ?? new Set());
      }),
    );
  }

  /** Goes on with messages that were taken over and whose contents are known. */
  async resumeKnown(
    shard: Shard,
    messages: readonly Message[],
    lease: string,
    until: number,
  ): Promise<void> {
    const taken = messages.filter(({ id }) => !this.#adopts(shard, id, lease, until));
    if (taken.length === 0) return;
    const handled = await shard.messages.handled(taken.map(({ id }) => id));
    await Promise.all(
      taken.map((message) =>
        this.fanOut(shard, message, lease, until, handled.get(message.id) ?? new Set()),
      ),
    );
  }

  /** Whether this process holds the message already: then it goes on with the new token. */
  #adopts(shard: Shard, id: string, lease: string, until: number): boolean {
    if (!shard.heldMessages.adopt(id, lease, until)) return false;
    // Outcomes that were written after the claim still had the old token, and were refused: they are looked for at the end.
    shard.heldMessages.get(id)!.againAt ??= this.#tools.clock.now();
    return true;
  }

  /** Lets go of a message that nothing can be done with now. */
  async #postpone(shard: Shard, held: Held, since: number): Promise<void> {
    shard.heldMessages.remove(held);
    try {
      await shard.messages.release([held], againAt(since, this.#tools.clock.now()));
    } catch (error) {
      // Its lease runs out by itself.
      logFault(`Postponing ${held.id} failed`, error, { messageId: held.id });
    }
  }
}
