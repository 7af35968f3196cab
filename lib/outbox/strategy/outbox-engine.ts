import { Logger } from '@nestjs/common';
import { reasonOf } from '../../common/index.js';
import { within } from '../../common/timeout.js';
import { ClaimLoop } from '../worker/claim-loop.js';
import { Courier } from '../worker/attempt-runner.js';
import { DispatchDesk } from '../worker/message-scheduler.js';
import { HandOver } from './hand-over.js';
import { Lanes } from '../concurrency/host-scheduler.js';
import { LeaseRenewal } from '../worker/lease-renewal.js';
import type { Held } from '../tables/leases.js';
import { LogTeller } from '../outcomes/delivery-log-notifier.js';
import type { MessageRelay } from '../relay/message-relay.js';
import { MessageRows } from '../tables/message-row-mapper.js';
import type { OutboxJob } from '../worker/delivery-job.js';
import type { OutboxSettings } from '../model/outbox-options.js';
import type { OutboxTools } from './outbox-dependencies.js';
import { PauseWatch } from '../worker/pause-watcher.js';
import { Pauses } from '../worker/host-pauses.js';
import { RateGate } from '../worker/rate-limit-gate.js';
import { RecipientHosts } from '../../message/recipient-host.js';
import { RelayedWork } from '../relay/relay-receiver.js';
import { RetryDesk } from '../worker/retry-scheduler.js';
import { Shard } from '../store/outbox-store.js';
import type { Outcome } from '../model/outcome.js';

/** Delivers what is stored: what is handed over, what a relay brings, and what is due in the database. */
export class OutboxEngine {
  readonly #logger = new Logger('Thorn');
  readonly #settings: OutboxSettings;
  readonly #tools: OutboxTools;
  readonly shards: readonly Shard[];
  readonly lanes: Lanes<OutboxJob>;
  readonly pauses: Pauses;
  readonly pauseWatch: PauseWatch;
  readonly handOver: HandOver;
  readonly gate: RateGate;
  readonly #retries: RetryDesk;
  readonly #loops: readonly ClaimLoop[];
  readonly #renewal: LeaseRenewal;
  readonly #relayed: RelayedWork;
  readonly #teller: LogTeller;
  #opened: Promise<void> | null = null;
  #stopListening: () => void = () => undefined;
  #isLeaving = false;

  /** @throws {@link ThornConfigurationError} when a data source cannot be used */
  constructor(tools: OutboxTools, settings: OutboxSettings) {
    const { clock, random = Math.random } = tools;
    const { lease, worker } = settings;
    this.#settings = settings;
    this.#tools = tools;
    this.#teller = new LogTeller(tools.log);
    const rows = new MessageRows(tools.codecs, tools.sealer);
    this.shards = tools.dataSources.map((dataSource) => {
      const shard: Shard = new Shard(
        dataSource,
        rows,
        settings,
        (outcome) => this.#teller.keeps(outcome),
        (outcomes, finished) => this.#written(shard, outcomes, finished),
      );
      return shard;
    });
    // Of a subscriber there is one, however many data sources its messages are in.
    tools.listener.use(this.shards[0]!.health);
    const courier = new Courier({ ...tools, random }, (job) => {
      job.hasWaited ||= job.startBy !== null;
      this.gate.add(job);
    });
    this.lanes = new Lanes<OutboxJob>(
      settings,
      {
        run: (job) => courier.run(job),
        park: (job, until) => courier.park(job, until),
        room: () => this.wake(),
        unwritten: () => this.shards.reduce((sum, { unwritten }) => sum + unwritten, 0),
      },
      clock,
      random,
    );
    this.pauses = new Pauses(tools.dataSources[0]!, this.shards[0]!.database, clock);
    const { rateLimiter } = this.shards[0]!;
    this.gate = new RateGate({
      limiter: tools.relay?.rateLimiter(rateLimiter) ?? rateLimiter,
      clock,
      open: (job) => this.lanes.add(job),
      park: (job, until, turnAt) => courier.park(job, until, turnAt),
      wake: () => this.wake(),
    });
    const hosts = new RecipientHosts();
    const desk = new DispatchDesk(tools, this.gate, hosts);
    this.#retries = new RetryDesk(tools, this.gate, courier, hosts);
    const desks = { messages: desk, deliveries: this.#retries };
    this.#loops = this.shards.map(
      (shard) => new ClaimLoop(shard, desks, this.lanes, clock, settings),
    );
    this.pauseWatch = new PauseWatch(this.pauses, this.lanes);
    this.#renewal = new LeaseRenewal(this.shards, lease, clock);
    this.#relayed = new RelayedWork({
      shards: this.shards,
      desk,
      codecs: tools.codecs,
      clock,
      lease,
    });
    this.handOver = new HandOver({
      shards: this.shards,
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
    this.#opened ??= Promise.all(this.shards.map(({ database }) => database.open())).then(
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
    await this.#tools.relay?.start(this.#settings.worker ? this.#relayed : null);
    if (!this.#settings.worker) return;
    await this.pauseWatch.start();
    for (const loop of this.#loops) loop.start();
    this.#stopListening = this.#tools.events.on('subscriber-disabled', ({ subscriber }) =>
      Promise.all(this.shards.map((shard) => this.#retries.failAll(shard, subscriber))),
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
    const { drainTimeout } = this.#settings;
    await within(drainTimeout, this.#drained(), () => undefined);
    this.#isLeaving = true;
    this.#renewal.stop();
    this.handOver.stop();
    this.gate.stop();
    this.lanes.takeWaiting();
    await within(drainTimeout, this.#letGo(), () => undefined);
    for (const shard of this.shards) {
      shard.recorder.close();
      await shard.database.close();
    }
  }

  #written(shard: Shard, outcomes: readonly Outcome[], finished: readonly Held[]): void {
    this.lanes.resume();
    this.#relayed.finished(shard, finished);
    if (outcomes.length === 0) return;
    this.#teller.written(outcomes);
    void Promise.resolve()
      .then(() => this.#tools.listener.written(outcomes))
      .catch((error: unknown) =>
        this.#logger.error(
          `Taking note of ${outcomes.length} outcome(s) failed: ${reasonOf(error)}`,
        ),
      );
  }

  /** A relay that fails at the end keeps nobody from writing down what was delivered. */
  async #tell(doing: string, tell: (relay: MessageRelay) => Promise<void> | void): Promise<void> {
    const { relay } = this.#tools;
    if (relay === undefined) return;
    try {
      await tell(relay);
    } catch (error) {
      this.#logger.error(`${doing} the relay failed: ${reasonOf(error)}`);
    }
  }

  async #drained(): Promise<void> {
    await this.#tell('Closing', (relay) => relay.close());
    await this.handOver.idle();
    await this.lanes.idle();
    await Promise.all(this.shards.map(({ recorder }) => recorder.flush()));
  }

  async #letGo(): Promise<void> {
    const now = this.#tools.clock.now();
    await Promise.all(this.shards.map((shard) => shard.giveUp(now)))
      .then(() => Promise.all([this.#tools.listener.idle(), this.#teller.idle()]))
      .catch((error: unknown) =>
        this.#logger.error(
          `Giving up leases failed, they run out by themselves: ${reasonOf(error)}`,
        ),
      );
  }
}
