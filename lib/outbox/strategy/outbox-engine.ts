import { Logger } from '@nestjs/common';
import { errorText } from '../../common/index.js';
import { withTimeout } from '../../common/timeout.js';
import { ClaimLoop } from '../worker/claim-loop.js';
import { AttemptRunner } from '../worker/attempt-runner.js';
import { MessageScheduler } from '../worker/message-scheduler.js';
import { HandOver } from './hand-over.js';
import { HostScheduler } from '../concurrency/host-scheduler.js';
import { LeaseRenewal } from '../worker/lease-renewal.js';
import type { Lease } from '../tables/leases.js';
import { DeliveryLogNotifier } from '../outcomes/delivery-log-notifier.js';
import type { MessageRelay } from '../relay/message-relay.js';
import { MessageRowMapper } from '../tables/message-row-mapper.js';
import type { DeliveryJob } from '../worker/delivery-job.js';
import type { OutboxSettings } from '../model/outbox-options.js';
import type { OutboxDependencies } from './outbox-dependencies.js';
import { PauseWatcher } from '../worker/pause-watcher.js';
import { HostPauses } from '../worker/host-pauses.js';
import { RateLimitGate } from '../worker/rate-limit-gate.js';
import { HostCache } from '../../message/recipient-host.js';
import { RelayReceiver } from '../relay/relay-receiver.js';
import { RetryScheduler } from '../worker/retry-scheduler.js';
import { OutboxStore } from '../store/outbox-store.js';
import type { Outcome } from '../model/outcome.js';

/** Delivers what is stored: what is handed over, what a relay brings, and what is due in the database. */
export class OutboxEngine {
  readonly #logger = new Logger('Thorn');
  readonly stores: readonly OutboxStore[];
  readonly lanes: HostScheduler<DeliveryJob>;
  readonly pauses: HostPauses;
  readonly pauseWatch: PauseWatcher;
  readonly handOver: HandOver;
  readonly gate: RateLimitGate;
  readonly #retries: RetryScheduler;
  readonly #loops: readonly ClaimLoop[];
  readonly #renewal: LeaseRenewal;
  readonly #relayed: RelayReceiver;
  readonly #teller: DeliveryLogNotifier;
  #opened: Promise<void> | null = null;
  #stopListening: () => void = () => undefined;
  #isLeaving = false;

  /** @throws {@link ThornConfigurationError} when a data source cannot be used */
  constructor(
    private readonly tools: OutboxDependencies,
    private readonly settings: OutboxSettings,
  ) {
    const { clock, random = Math.random } = tools;
    const { lease, worker } = settings;
    this.#teller = new DeliveryLogNotifier(tools.log);
    const rows = new MessageRowMapper(tools.codecs, tools.sealer);
    this.stores = tools.dataSources.map((dataSource) => {
      const store: OutboxStore = new OutboxStore(
        dataSource,
        rows,
        settings,
        (outcome) => this.#teller.keeps(outcome),
        (outcomes, finished) => this.#written(store, outcomes, finished),
      );
      return store;
    });
    // Of a subscriber there is one, however many data sources its messages are in.
    tools.listener.use(this.stores[0]!.health);
    const courier = new AttemptRunner({ ...tools, random }, (job) => {
      job.hasWaited ||= job.permitExpiresAt !== null;
      this.gate.add(job);
    });
    this.lanes = new HostScheduler<DeliveryJob>(
      settings,
      {
        run: (job) => courier.run(job),
        park: (job, until) => courier.postpone(job, until),
        room: () => this.wake(),
        unwritten: () => this.stores.reduce((sum, { unwritten }) => sum + unwritten, 0),
      },
      clock,
      random,
    );
    this.pauses = new HostPauses(tools.dataSources[0]!, this.stores[0]!.database, clock);
    const { rateLimiter } = this.stores[0]!;
    this.gate = new RateLimitGate({
      limiter: tools.relay?.rateLimiter(rateLimiter) ?? rateLimiter,
      clock,
      open: (job) => this.lanes.add(job),
      park: (job, until, turnAt) => courier.postpone(job, until, turnAt),
      wake: () => this.wake(),
    });
    const hosts = new HostCache();
    const desk = new MessageScheduler(tools, this.gate, hosts);
    this.#retries = new RetryScheduler(tools, this.gate, courier, hosts);
    const desks = { messages: desk, deliveries: this.#retries };
    this.#loops = this.stores.map(
      (store) => new ClaimLoop(store, desks, this.lanes, clock, settings),
    );
    this.pauseWatch = new PauseWatcher(this.pauses, this.lanes);
    this.#renewal = new LeaseRenewal(this.stores, lease, clock);
    this.#relayed = new RelayReceiver({
      stores: this.stores,
      scheduler: desk,
      clock,
      lease,
    });
    this.handOver = new HandOver({
      stores: this.stores,
      desk,
      relayed: this.#relayed,
      relay: tools.relay,
      clock,
      worker,
      wake: () => this.wake(),
    });
  }

  /** Resolves when the databases can be used: opens them once, and again after a failure. */
  ready(): Promise<void> {
    this.#opened ??= Promise.all(this.stores.map(({ database }) => database.open())).then(
      () => this.#renewal.start(),
      (error: unknown) => {
        this.#opened = null;
        throw error;
      },
    );
    return this.#opened;
  }

  /** Looks for due deliveries at once. */
  wake(): void {
    for (const loop of this.#loops) loop.wake();
  }

  /** Delivers from now on, as far as this process is a worker. */
  async start(): Promise<void> {
    await this.ready();
    await this.tools.relay?.start(this.settings.worker ? this.#relayed : null);
    if (!this.settings.worker) return;
    await this.pauseWatch.start();
    for (const loop of this.#loops) loop.start();
    this.#stopListening = this.tools.events.on('subscriber-disabled', ({ subscriberId }) =>
      Promise.all(this.stores.map((store) => this.#retries.failAll(store, subscriberId))),
    );
  }

  /** Claims nothing new; what is handed over meanwhile is still delivered. */
  async pause(): Promise<void> {
    this.#stopListening();
    this.pauseWatch.stop();
    await this.#tell('Pausing', (relay) => relay.pause());
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /** Delivers what it can until the deadline, and lets other processes take the rest. */
  async end(): Promise<void> {
    await this.pause();
    if (this.#opened === null || this.#isLeaving) return;
    const { drainTimeout } = this.settings;
    await withTimeout(drainTimeout, this.#drained(), () => undefined);
    this.#isLeaving = true;
    this.#renewal.stop();
    this.handOver.stop();
    this.gate.stop();
    this.lanes.takeWaiting();
    await withTimeout(drainTimeout, this.#letGo(), () => undefined);
    for (const store of this.stores) {
      store.recorder.close();
      await store.database.close();
    }
  }

  #written(store: OutboxStore, outcomes: readonly Outcome[], finished: readonly Lease[]): void {
    this.lanes.resume();
    this.#relayed.finished(store, finished);
    if (outcomes.length === 0) return;
    this.#teller.written(outcomes);
    void Promise.resolve()
      .then(() => this.tools.listener.written(outcomes))
      .catch((error: unknown) =>
        this.#logger.error(
          `Taking note of ${outcomes.length} outcome(s) failed: ${errorText(error)}`,
        ),
      );
  }

  /** A relay that fails at the end keeps nobody from writing down what was delivered. */
  async #tell(doing: string, tell: (relay: MessageRelay) => Promise<void> | void): Promise<void> {
    const { relay } = this.tools;
    if (relay === undefined) return;
    try {
      await tell(relay);
    } catch (error) {
      this.#logger.error(`${doing} the relay failed: ${errorText(error)}`);
    }
  }

  async #drained(): Promise<void> {
    await this.#tell('Closing', (relay) => relay.close());
    await this.handOver.idle();
    await this.lanes.idle();
    await Promise.all(this.stores.map(({ recorder }) => recorder.flush()));
  }

  async #letGo(): Promise<void> {
    const now = this.tools.clock.now();
    await Promise.all(this.stores.map((store) => store.giveUp(now)))
      .then(() => Promise.all([this.tools.listener.idle(), this.#teller.idle()]))
      .catch((error: unknown) =>
        this.#logger.error(
          `Giving up leases failed, they run out by themselves: ${errorText(error)}`,
        ),
      );
  }
}
