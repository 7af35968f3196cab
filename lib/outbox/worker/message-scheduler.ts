import { type Clock, newId } from '../../common/index.js';
import type { FanOut, FoundRecipients } from '../../dispatch/index.js';
import type { Message } from '../../message/index.js';
import { postponedUntil } from './postponed-until.js';
import { newDelivery } from '../model/delivery-state.js';
import type { HeldMessage } from '../store/held-leases.js';
import type { Lease } from '../tables/leases.js';
import { logFault } from '../../common/log-fault.js';
import type { RateLimitGate } from './rate-limit-gate.js';
import type { Row } from '../database/outbox-database.js';
import type { HostCache } from '../../message/recipient-host.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** What a {@link MessageScheduler} works with. */
export interface DeskTools {
  readonly fanOut: FanOut;
  readonly clock: Clock;
}

/** Makes jobs of the messages that this process holds, one for each recipient. */
export class MessageScheduler {
  constructor(
    private readonly tools: DeskTools,
    private readonly gate: RateLimitGate,
    private readonly hosts: HostCache,
  ) {}

  /**
   * Sends a message to everyone who has no delivery of it yet.
   *
   * @param handled ids of subscribers that have one
   */
  async schedule(
    store: OutboxStore,
    message: Message,
    lease: string,
    leasedUntil: number,
    handled?: ReadonlySet<string>,
  ): Promise<void> {
    const holding: HeldMessage = {
      id: message.id,
      message,
      token: lease,
      leasedUntil,
      open: 0,
      againAt: null,
      isLost: false,
      stale: [],
    };
    store.heldMessages.add(holding);
    let found: FoundRecipients;
    try {
      found = await this.tools.fanOut.lookUp(message);
    } catch (error) {
      const what = `Finding the subscribers of ${message.id} (${message.event}) failed`;
      logFault(what, error, { messageId: message.id, event: message.event });
      return this.#postpone(store, holding, message.time);
    }
    const { recipients, isComplete } = found;
    const now = this.tools.clock.now();
    if (!isComplete) holding.againAt = postponedUntil(message.time, now);
    const missing =
      handled === undefined ? recipients : recipients.filter(({ id }) => !handled.has(id));
    if (missing.length === 0) return store.recorder.finish(holding);
    holding.open = missing.length;
    for (const recipient of missing) {
      this.gate.add({
        id: newId('dlv_', now),
        store,
        message,
        recipient,
        host: this.hosts.of(recipient),
        isRetry: false,
        state: newDelivery(now),
        requests: 0,
        attemptedAt: null,
        holding,
        first: holding,
        gate: this.gate,
        hasWaited: false,
        permitExpiresAt: null,
      });
    }
  }

  /** Goes on with messages that were claimed. */
  async resume(
    store: OutboxStore,
    rows: readonly Row[],
    lease: string,
    until: number,
  ): Promise<void> {
    const taken = rows.filter(({ id }) => !this.#adopts(store, id as string, lease, until));
    if (taken.length === 0) return;
    const handled = await store.messages.handled(taken.map(({ id }) => id as string));
    await Promise.all(
      taken.map(async (row) => {
        const [id, since] = [row['id'] as string, Number(row['time'])];
        let message: Message | null;
        try {
          message = store.rows.messageOf(row);
        } catch (error) {
          logFault(`The message ${id} is left as it is`, error, { messageId: id });
          return this.#postpone(store, { id, token: lease }, since);
        }
        if (message === null) return store.recorder.finish({ id, token: lease, againAt: null });
        return this.schedule(store, message, lease, until, handled.get(message.id) ?? new Set());
      }),
    );
  }

  /** Whether this process holds the message already: then it goes on with the new token. */
  #adopts(store: OutboxStore, id: string, lease: string, until: number): boolean {
    if (!store.heldMessages.adopt(id, lease, until)) return false;
    // Outcomes that were written after the claim still had the old token, and were refused: they are looked for at the end.
    store.heldMessages.get(id)!.againAt ??= this.tools.clock.now();
    return true;
  }

  /** Lets go of a message that nothing can be done with now. */
  async #postpone(store: OutboxStore, held: Lease, since: number): Promise<void> {
    store.heldMessages.remove(held);
    try {
      await store.messages.release([held], postponedUntil(since, this.tools.clock.now()));
    } catch (error) {
      // Its lease runs out by itself.
      logFault(`Postponing ${held.id} failed`, error, { messageId: held.id });
    }
  }
}
