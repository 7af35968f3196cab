import { FaultLog } from '../../common/index.js';
import type { DeliveryLogNotifier } from '../record/delivery-log-notifier.js';
import type { Entry, WriteFollower } from '../record/outcome-recorder.js';
import type { SubscriberHealth } from '../record/subscriber-health.js';
import type { RelayReceiver } from '../relay/relay-receiver.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import type { OutboxStore } from '../store/outbox-store.js';
import type { Finished } from '../tables/leases.js';
import type { HostScheduler } from '../wait/host-scheduler.js';
import type { KeyQueues } from '../wait/key-queues.js';
import type { Outcome } from '../outcome.js';

/** The parts of the outbox that act after a set of outcomes is written. `OutboxEngine` has all of them. */
export interface AfterWriteParts {
  readonly queues: KeyQueues;
  readonly receiver: RelayReceiver;
  readonly scheduler: HostScheduler<DeliveryJob>;
  readonly notifier: DeliveryLogNotifier;
  readonly health: SubscriberHealth;
}

/** The steps after a set of outcomes is written, in their order. */
export class AfterWrite implements WriteFollower {
  readonly #faults = new FaultLog();

  /** @param parts are read when outcomes are written: some of them are made after the store */
  constructor(
    private readonly store: OutboxStore,
    private readonly parts: AfterWriteParts,
  ) {}

  written(outcomes: readonly Outcome[], finished: readonly Finished[]): void {
    const { store } = this;
    const { queues, receiver, scheduler, notifier, health } = this.parts;
    const steps = [
      () => store.forgetLeases(outcomes, finished),
      () => queues.promoteBehind(outcomes, finished),
      // After the leases are forgotten: there is room for other messages.
      () => receiver.acknowledge(finished),
      () => scheduler.goOn(),
      () => notifier.tell(outcomes),
      () => health.count(outcomes),
    ];
    for (const step of steps) {
      try {
        step();
      } catch (error) {
        // The others go on: they have nothing to do with it, and the outcomes are written.
        this.#faults.report(`Notifying of ${outcomes.length} outcome(s) failed`, error);
      }
    }
  }

  givenUp(entry: Entry): void {
    this.store.makeOnceMore(entry);
  }
}
