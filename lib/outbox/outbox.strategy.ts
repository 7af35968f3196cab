import {
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { Clock, reasonOf } from '../common/index.js';
import { Deliverer, type DeliveryLog, RetryPolicy, WebhookEvents } from '../delivery/index.js';
import { DispatchStrategy, type FanOut, type Release } from '../dispatch/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import { Codecs, type Message } from '../message/index.js';
import type { SecretSealer } from '../signing/index.js';
import { SubscriberRepository } from '../subscriber/index.js';
import { ClaimLoop } from './claim-loop.js';
import { Courier } from './courier.js';
import { DispatchDesk } from './dispatch-desk.js';
import { HandOver } from './hand-over.js';
import type { HandedOver } from './handed-over.js';
import { type EndpointHealth, type LaneActivity, Lanes } from './lanes.js';
import { PauseWatch } from './pause-watch.js';
import { type Pause, Pauses } from './pauses.js';
import { LeaseRenewal } from './lease-renewal.js';
import { LogTeller } from './log-teller.js';
import type { MessageRelay } from './message-relay.js';
import { MessageRows } from './message-row.js';
import type { Held } from './leases.js';
import type { OutboxJob } from './outbox-job.js';
import { type OutboxOptions, type OutboxSettings, outboxSettings } from './outbox-options.js';
import { OutcomeListener } from './outcome-listener.js';
import { RelayedWork } from './relayed-work.js';
import type { Outcome } from './settlement.js';
import { Shard } from './shard.js';
import { Stager } from './stager.js';

/** What {@link OutboxStrategy} is made from. */
export interface OutboxTools {
  readonly dataSources: readonly DataSource[];
  readonly fanOut: FanOut;
  readonly deliverer: Deliverer;
  readonly subscribers: SubscriberRepository;
  readonly codecs: Codecs;
  readonly sealer: SecretSealer;
  readonly policy: RetryPolicy;
  readonly events: WebhookEvents;
  readonly listener: OutcomeListener;
  readonly log: DeliveryLog;
  readonly clock: Clock;
  /** For jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** What carries messages to the process that delivers them. Default: they stay in this one. */
  readonly relay?: MessageRelay;
}

/**
 * The durable strategy. A message is written in the transaction that it belongs to, already leased to this process, and
 * handed over in memory after the commit; what becomes of its deliveries is written in sets. Whatever a process leaves
 * behind is found by its lease that ran out.
 */
export class OutboxStrategy
  extends DispatchStrategy
  implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown
{
  readonly #logger = new Logger('Thorn');
  readonly #settings: OutboxSettings;
  readonly #tools: OutboxTools;
  readonly #shards: readonly Shard[];
  readonly #stager: Stager;
  readonly #lanes: Lanes<OutboxJob>;
  readonly #desk: DispatchDesk;
  readonly #loops: readonly ClaimLoop[];
  readonly #pauses: Pauses;
  readonly #pauseWatch: PauseWatch;
  readonly #renewal: LeaseRenewal;
  readonly #handOver: HandOver;
  readonly #relayed: RelayedWork;
  readonly #teller: LogTeller;
  #opened: Promise<void> | null = null;
  #stopListening: () => void = () => undefined;
  #isLeaving = false;

  /** @throws {@link ThornConfigurationError} when an option makes no sense, or a data source cannot be used */
  constructor(tools: OutboxTools, options: OutboxOptions = {}) {
    super();
    const { clock, random = Math.random } = tools;
    this.#settings = outboxSettings(options);
    this.#tools = tools;
    if (tools.dataSources.length === 0) {
      throw new ThornConfigurationError(
        'outbox() needs a TypeORM data source; name one in dataSources, or use inline()',
      );
    }
    this.#teller = new LogTeller(tools.log);
    const rows = new MessageRows(tools.codecs, tools.sealer);
    this.#shards = tools.dataSources.map((dataSource) => {
      const shard: Shard = new Shard(
        dataSource,
        rows,
        this.#settings,
        (outcome) => this.#teller.keeps(outcome),
        (outcomes, finished) => this.#written(shard, outcomes, finished),
      );
      return shard;
    });
    // Of a subscriber there is one, however many data sources its messages are in.
    tools.listener.use(this.#shards[0]!.health);
    const { worker, lease } = this.#settings;
    // Where nobody here delivers, and nobody is given it, others may take it at once.
    const leaseFor = worker || tools.relay?.carries === true ? lease : 0;
    this.#stager = new Stager(this.#shards, leaseFor, this.#settings.queryTimeout, clock);
    const courier = new Courier({ ...tools, random }, (job) => this.#lanes.add(job));
    this.#lanes = new Lanes<OutboxJob>(
      this.#settings,
      {
        run: (job) => courier.run(job),
        park: (job, until) => courier.park(job, until),
        room: () => this.wake(),
        unwritten: () => this.#shards.reduce((sum, { unwritten }) => sum + unwritten, 0),
      },
      clock,
      random,
    );
    this.#pauses = new Pauses(tools.dataSources[0]!, this.#shards[0]!.database, clock);
    this.#desk = new DispatchDesk(tools, this.#lanes, courier);
    this.#loops = this.#shards.map(
      (shard) => new ClaimLoop(shard, this.#desk, this.#lanes, clock, this.#settings),
    );
    this.#pauseWatch = new PauseWatch(this.#pauses, this.#lanes);
    this.#renewal = new LeaseRenewal(this.#shards, lease, clock);
    this.#relayed = new RelayedWork({ shards: this.#shards, desk: this.#desk, clock, lease });
    this.#handOver = new HandOver({
      shards: this.#shards,
      desk: this.#desk,
      relayed: this.#relayed,
      relay: tools.relay,
      clock,
      worker,
      wake: () => this.wake(),
    });
  }

  /**
   * The data sources' tables, for who shows and changes what is in them.
   *
   * @internal
   */
  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /** What this process is doing at the moment, for gauges. */
  activity(): LaneActivity {
    return this.#lanes.activity();
  }

  /** What this process knows of the hosts whose health is not simply good. */
  endpoints(): readonly EndpointHealth[] {
    return this.#lanes.endpoints();
  }

  /** The hosts that the operator has paused. */
  pauses(): Promise<readonly Pause[]> {
    return this.#pauses.list();
  }

  /**
   * Lets nothing be sent to a host, until {@link resume}: what is due for it waits, in every process within a few
   * seconds.
   *
   * @param host as in the URLs of subscribers, with its port if it has one there; `*` for all
   * @throws {@link InvalidInputError} for `host`
   */
  async pause(host: string): Promise<void> {
    await this.#pauses.add(host);
    await this.#pauseWatch.heed();
  }

  /** Ends a pause; what has waited goes within half a minute. @returns whether there was one */
  async resume(host: string): Promise<boolean> {
    const wasPaused = await this.#pauses.remove(host);
    await this.#pauseWatch.heed();
    return wasPaused;
  }

  /** Rejects when the relay's queue cannot be reached; there need not be one. */
  async checkRelay(): Promise<void> {
    await this.#tools.relay?.check();
  }

  /**
   * Looks for due deliveries at once.
   *
   * @internal
   */
  wake(): void {
    for (const loop of this.#loops) loop.wake();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.ready();
    await this.#tools.relay?.start(this.#settings.worker ? this.#relayed : null);
    if (!this.#settings.worker) return;
    await this.#pauseWatch.start();
    for (const loop of this.#loops) loop.start();
    this.#stopListening = this.#tools.events.on('subscriber-disabled', ({ subscriber }) =>
      Promise.all(this.#shards.map((shard) => this.#desk.failAll(shard, subscriber))),
    );
  }

  /** Claims nothing new; what is sent meanwhile is still delivered. */
  async onModuleDestroy(): Promise<void> {
    this.#stopListening();
    this.#pauseWatch.stop();
    await this.#tools.relay?.pause();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /** Delivers what it can until the deadline, and lets other processes take the rest. */
  async onApplicationShutdown(): Promise<void> {
    await this.onModuleDestroy();
    if (this.#opened === null || this.#isLeaving) return;
    await within(this.#settings.drainTimeout, this.#drained());
    this.#isLeaving = true;
    this.#renewal.stop();
    this.#handOver.stop();
    this.#lanes.takeWaiting();
    await within(this.#settings.drainTimeout, this.#letGo());
    for (const shard of this.#shards) {
      shard.recorder.close();
      await shard.database.close();
    }
  }

  override async stage(
    messages: readonly Message[],
    manager: EntityManager | undefined,
  ): Promise<void> {
    await this.ready();
    await this.#stager.stage(messages, manager);
  }

  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    const accepted: HandedOver[] = [];
    const releases = messages.map((message): Release => {
      const staged = this.#stager.take(message);
      if (staged !== null) accepted.push({ message, ...staged });
      return {
        message: message.id,
        state: staged === null ? 'duplicate' : 'accepted',
        attempts: [],
      };
    });
    for (const { message } of accepted) this.#tell(message);
    this.#handOver.take(accepted);
    return releases;
  }

  override async discard(messages: readonly Message[]): Promise<void> {
    await this.#stager.discard(messages);
  }

  #tell(message: Message): void {
    this.#tools.events.emit('message-accepted', () => ({
      message: message.id,
      event: message.event,
      sender: message.sender,
      time: message.time,
    }));
  }

  /**
   * Resolves when the databases can be used: opens them once, and again after a failure.
   *
   * @internal
   */
  ready(): Promise<void> {
    this.#opened ??= Promise.all(this.#shards.map(({ database }) => database.open())).then(
      () => this.#renewal.start(),
      (error: unknown) => {
        this.#opened = null;
        throw error;
      },
    );
    return this.#opened;
  }

  #written(shard: Shard, outcomes: readonly Outcome[], finished: readonly Held[]): void {
    this.#lanes.resume();
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

  async #drained(): Promise<void> {
    await this.#tools.relay?.close();
    await this.#lanes.idle();
    await Promise.all(this.#shards.map(({ recorder }) => recorder.flush()));
  }

  async #letGo(): Promise<void> {
    const now = this.#tools.clock.now();
    await Promise.all(this.#shards.map((shard) => shard.giveUp(now)))
      .then(() => Promise.all([this.#tools.listener.idle(), this.#teller.idle()]))
      .catch((error: unknown) =>
        this.#logger.error(
          `Giving up leases failed, they run out by themselves: ${reasonOf(error)}`,
        ),
      );
  }
}

/** Resolves with the work, or without it when the time is up. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}
