import { randomUUID } from 'node:crypto';
import {
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { Clock } from '../common/index.js';
import { Deliverer, RetryPolicy, WebhookEvents } from '../delivery/index.js';
import {
  DispatchStrategy,
  FanOut,
  type Release,
  type StrategyDefinition,
} from '../dispatch/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import { Codecs, type Message } from '../message/index.js';
import { SubscriberRepository } from '../subscriber/index.js';
import { ClaimLoop } from './claim-loop.js';
import { Courier } from './courier.js';
import { DispatchDesk } from './dispatch-desk.js';
import { type LaneActivity, Lanes } from './lanes.js';
import { OutboxDataSources } from './outbox-data-sources.js';
import type { OutboxJob } from './outbox-job.js';
import { type OutboxOptions, type OutboxSettings, outboxSettings } from './outbox-options.js';
import { OutcomeListener } from './outcome-listener.js';
import type { Outcome } from './settlement.js';
import { Shard } from './shard.js';
import { Stager } from './stager.js';

const MOST_HELD = 10_000;

/** What {@link OutboxStrategy} is made from. */
export interface OutboxTools {
  readonly dataSources: readonly DataSource[];
  readonly fanOut: FanOut;
  readonly deliverer: Deliverer;
  readonly subscribers: SubscriberRepository;
  readonly codecs: Codecs;
  readonly policy: RetryPolicy;
  readonly events: WebhookEvents;
  readonly listener: OutcomeListener;
  readonly clock: Clock;
  /** For jitter. Default `Math.random`. */
  readonly random?: () => number;
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
  #opened: Promise<void> | null = null;
  #renewal: NodeJS.Timeout | null = null;
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
    this.#shards = tools.dataSources.map(
      (dataSource) => new Shard(dataSource, this.#settings, (outcomes) => this.#written(outcomes)),
    );
    // Of a subscriber there is one, however many data sources its messages are in.
    tools.listener.use(this.#shards[0]!.health);
    this.#stager = new Stager(this.#shards, this.#settings, clock, randomUUID());
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
    this.#desk = new DispatchDesk(tools, this.#lanes, courier);
    this.#loops = this.#shards.map(
      (shard) => new ClaimLoop(shard, this.#desk, this.#lanes, clock, this.#settings),
    );
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
    if (!this.#settings.worker) return;
    for (const loop of this.#loops) loop.start();
    this.#stopListening = this.#tools.events.on('subscriber-disabled', ({ subscriber }) =>
      Promise.all(this.#shards.map((shard) => this.#desk.failAll(shard, subscriber))),
    );
  }

  /** Claims nothing new; what is sent meanwhile is still delivered. */
  async onModuleDestroy(): Promise<void> {
    this.#stopListening();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /** Delivers what it can until the deadline, and lets other processes take the rest. */
  async onApplicationShutdown(): Promise<void> {
    await this.onModuleDestroy();
    if (this.#opened === null || this.#isLeaving) return;
    await within(this.#settings.drainTimeout, this.#drained());
    this.#isLeaving = true;
    if (this.#renewal !== null) clearTimeout(this.#renewal);
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
    return messages.map((message) => ({
      message: message.id,
      state: this.#release(message) ? 'accepted' : 'duplicate',
      attempts: [],
    }));
  }

  override async discard(messages: readonly Message[]): Promise<void> {
    await this.#stager.discard(messages);
  }

  /** @returns false when there was one of that id before: that one is on its way, or has arrived */
  #release(message: Message): boolean {
    const staged = this.#stager.take(message);
    if (staged === null) return false;
    const { events } = this.#tools;
    events.emit('message-accepted', () => ({
      message: message.id,
      event: message.event,
      sender: message.sender,
      time: message.time,
    }));
    if (!this.#settings.worker) return true;
    const { shard, lease, leasedUntil, joined } = staged;
    void this.#handOver(message, shard, lease, leasedUntil, joined).catch((error: unknown) =>
      this.#logger.error(`Handing over ${message.id} failed: ${String(error)}`),
    );
    return true;
  }

  async #handOver(
    message: Message,
    shard: Shard,
    lease: string,
    leasedUntil: number,
    joined: Promise<void> | null,
  ): Promise<void> {
    if (joined !== null) await joined;
    // Then the lease is given up at once, and the claim loop takes it as soon as there is room.
    if (this.#isLeaving || shard.heldMessages.size >= MOST_HELD) {
      return shard.messages.release([{ id: message.id, lease }], this.#tools.clock.now());
    }
    await this.#desk.fanOut(shard, message, lease, leasedUntil);
  }

  /**
   * Resolves when the databases can be used: opens them once, and again after a failure.
   *
   * @internal
   */
  ready(): Promise<void> {
    this.#opened ??= Promise.all(this.#shards.map(({ database }) => database.open())).then(
      () => this.#renewLater(),
      (error: unknown) => {
        this.#opened = null;
        throw error;
      },
    );
    return this.#opened;
  }

  #renewLater(): void {
    const { lease } = this.#settings;
    this.#renewal = setTimeout(
      () => void this.#renew().finally(() => !this.#isLeaving && this.#renewLater()),
      lease / 6,
    ).unref();
  }

  async #renew(): Promise<void> {
    const { clock } = this.#tools;
    for (const shard of this.#shards) {
      try {
        await shard.renewLeases(clock.now(), this.#settings.lease);
      } catch (error) {
        this.#logger.error(`Putting off leases failed: ${String(error)}`);
      }
    }
  }

  #written(outcomes: readonly Outcome[]): void {
    this.#lanes.resume();
    if (outcomes.length === 0) return;
    void Promise.resolve()
      .then(() => this.#tools.listener.written(outcomes))
      .catch((error: unknown) =>
        this.#logger.error(`Taking note of ${outcomes.length} outcome(s) failed: ${String(error)}`),
      );
  }

  async #drained(): Promise<void> {
    await this.#lanes.idle();
    await Promise.all(this.#shards.map(({ recorder }) => recorder.flush()));
  }

  async #letGo(): Promise<void> {
    const now = this.#tools.clock.now();
    await Promise.all(
      this.#shards.map(async ({ recorder, heldMessages, heldDeliveries, messages, deliveries }) => {
        await recorder.flush();
        const [rest, retries] = [heldMessages.all(), heldDeliveries.all()];
        if (rest.length > 0) await messages.release(rest, now);
        if (retries.length > 0) await deliveries.release(retries, now);
      }),
    )
      .then(() => this.#tools.listener.idle())
      .catch((error: unknown) =>
        this.#logger.error(`Giving up leases failed, they run out by themselves: ${String(error)}`),
      );
  }
}

/**
 * Delivers durably, by way of tables in the application's own database: a message is stored in the very transaction that
 * caused it, and delivered at least once whatever dies meanwhile.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ dispatch: outbox({ perHost: 16, retentionDays: 7 }) });
 * ```
 */
export function outbox(options: OutboxOptions = {}): StrategyDefinition {
  return {
    inject: [
      OutboxDataSources,
      FanOut,
      Deliverer,
      SubscriberRepository,
      Codecs,
      RetryPolicy,
      WebhookEvents,
      OutcomeListener,
      Clock,
    ],
    useFactory: (
      { all }: OutboxDataSources,
      fanOut: FanOut,
      deliverer: Deliverer,
      subscribers: SubscriberRepository,
      codecs: Codecs,
      policy: RetryPolicy,
      events: WebhookEvents,
      listener: OutcomeListener,
      clock: Clock,
    ) =>
      new OutboxStrategy(
        {
          dataSources: all,
          fanOut,
          deliverer,
          subscribers,
          codecs,
          policy,
          events,
          listener,
          clock,
        },
        options,
      ),
  };
}

/** Resolves with the work, or without it when the time is up. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}
