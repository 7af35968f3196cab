import type { Clock, FaultLog } from '../../common/index.js';
import type { FanOut, FoundRecipients } from '../../dispatch/index.js';
import type { Message, Recipient } from '../../message/index.js';
import { postponedUntil } from '../record/postpone.js';
import { newDelivery } from '../delivery-states.js';
import type { HeldLease, HeldMessage } from '../store/held-leases.js';
import { cursorOf, deliveryId, hashOf } from '../tables/keys.js';
import type { Lease, NewLease } from '../tables/leases.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import type { KeyQueues } from '../wait/key-queues.js';
import type { RateLimiter } from '../wait/rate-limiter.js';
import type { LoadedMessage } from '../tables/messages.js';
import type { HostCache } from '../../message/recipient.js';
import type { OutboxStore } from '../store/outbox-store.js';

/** The services that {@link fanOut} needs to turn messages into jobs. */
export interface FanOutParts {
  readonly faults: FaultLog;
  readonly fanOut: FanOut;
  readonly limiter: RateLimiter;
  readonly queues: KeyQueues;
  readonly hosts: HostCache;
  readonly clock: Clock;
}

/**
 * Adds a job for each recipient of a message, except recipients that have a delivery of it already.
 *
 * @param handled ids of the subscribers that have a delivery
 */
export async function fanOut(
  parts: FanOutParts,
  store: OutboxStore,
  message: Message,
  token: string,
  leasedUntil: number,
  handled?: ReadonlySet<string>,
): Promise<void> {
  const heldMessage: HeldMessage = {
    id: message.id,
    message,
    time: message.time,
    token,
    leasedUntil,
    open: 0,
    deliveries: 0,
    againAt: null,
    hasEntered: false,
    isLost: false,
  };
  store.heldMessages.add(heldMessage);
  let found: FoundRecipients;
  try {
    found = await parts.fanOut.lookUp(message);
  } catch (error) {
    const what = `Finding the subscribers of ${message.id} (${message.event}) failed`;
    parts.faults.report(what, error, { messageId: message.id, event: message.event });
    return putOffMessage(parts, store, heldMessage, message.time);
  }
  const { recipients, isComplete } = found;
  const now = parts.clock.now();
  if (!isComplete) heldMessage.againAt = postponedUntil(message.time, now);
  const missing =
    handled === undefined ? recipients : recipients.filter(({ id }) => !handled.has(id));
  heldMessage.deliveries = missing.length + (handled?.size ?? 0);
  if (missing.length === 0) return store.recorder.finish(heldMessage);
  const ordered = message.sequence === null ? [] : missing.filter(isOrdered);
  const others = ordered.length === 0 ? missing : missing.filter((one) => !isOrdered(one));
  // One more is open until the ordered deliveries are written, so that the message is not finished before.
  heldMessage.open = others.length + (ordered.length === 0 ? 0 : 1);
  for (const recipient of others)
    parts.limiter.add(newJob(parts, store, heldMessage, recipient, null));
  if (ordered.length > 0) await enter(parts, store, heldMessage, ordered);
}

/** Writes the deliveries to ordered subscribers, and adds a job for each delivery that has its turn. */
async function enter(
  parts: FanOutParts,
  store: OutboxStore,
  heldMessage: HeldMessage,
  recipients: readonly Recipient[],
): Promise<void> {
  const { message } = heldMessage;
  try {
    const keyHash = hashOf(message.key!);
    const deliveries = recipients.map((recipient) => ({
      id: deliveryId(message, recipient.id),
      recipient,
    }));
    const entering = { message, keyHash, heldMessage, deliveries };
    for (const { recipient, lease } of await parts.queues.enter(entering)) {
      parts.limiter.add(newJob(parts, store, heldMessage, recipient, { keyHash, lease }));
    }
  } catch (error) {
    const what = `Writing the ordered deliveries of ${message.id} (${message.event}) failed`;
    parts.faults.report(what, error, { messageId: message.id, event: message.event });
    heldMessage.againAt = postponedUntil(message.time, parts.clock.now());
  }
  if (--heldMessage.open === 0) store.recorder.finish(heldMessage);
}

/** @param ordered the key and the lease of an ordered delivery, which has a row; null for a delivery that has none yet */
function newJob(
  { hosts, clock }: FanOutParts,
  store: OutboxStore,
  heldMessage: HeldMessage,
  recipient: Recipient,
  ordered: { readonly keyHash: string; readonly lease: HeldLease } | null,
): DeliveryJob {
  const { message } = heldMessage;
  return {
    id: ordered?.lease.id ?? deliveryId(message, recipient.id),
    store,
    message,
    recipient,
    host: hosts.of(recipient),
    isRetry: false,
    state: newDelivery(clock.now()),
    requests: 0,
    attemptedAt: null,
    heldLease: ordered?.lease ?? heldMessage,
    heldMessage: ordered === null ? heldMessage : null,
    keyHash: ordered?.keyHash ?? null,
    startsBefore: null,
  };
}

/** Adds the jobs of messages that this process has claimed, for recipients without a delivery. */
export async function resumeMessages(
  parts: FanOutParts,
  store: OutboxStore,
  rows: readonly LoadedMessage[],
  { token, leasedUntil: until }: NewLease,
): Promise<void> {
  const fresh = rows.filter(({ id }) => !adopts(parts, store, id, token, until));
  if (fresh.length === 0) return;
  const handled = await store.messages.handled(fresh.map(cursorOf));
  await Promise.all(
    fresh.map(async (row) => {
      const [id, since] = [row.id, Number(row.time)];
      let message: Message | null;
      try {
        message = store.rows.messageOf(row);
      } catch (error) {
        parts.faults.report(`The message ${id} is left as it is`, error, { messageId: id });
        return putOffMessage(parts, store, { id, token }, since);
      }
      if (message === null) {
        return store.recorder.finish({ id, token, time: since, againAt: null, deliveries: 0 });
      }
      return fanOut(parts, store, message, token, until, handled.get(message.id) ?? new Set());
    }),
  );
}

/** True when this process has held the message all the time: the jobs that it has go on under the new lease. */
function adopts(
  { clock }: FanOutParts,
  store: OutboxStore,
  id: string,
  token: string,
  until: number,
): boolean {
  if (!store.heldMessages.adopt(id, token, until)) return false;
  // Outcomes written after the claim had the old token and were refused: the message is looked at again at the end.
  store.heldMessages.get(id)!.againAt ??= clock.now();
  return true;
}

/** Releases a message whose contents or recipients cannot be read now. */
async function putOffMessage(
  { faults, clock }: FanOutParts,
  store: OutboxStore,
  held: Lease,
  since: number,
): Promise<void> {
  store.heldMessages.remove(held);
  try {
    await store.messages.leases.release([held], postponedUntil(since, clock.now()));
  } catch (error) {
    // Its lease runs out by itself.
    faults.report(`Postponing ${held.id} failed`, error, { messageId: held.id });
  }
}

function isOrdered({ ordered }: Recipient): boolean {
  return ordered === true;
}
