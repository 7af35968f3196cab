import type {
  OnApplicationBootstrap,
  OnApplicationShutdown,
  OnModuleDestroy,
} from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DispatchStrategy, type Release } from '../../dispatch/index.js';
import type { Message } from '../../message/index.js';
import type { StagedMessage } from '../store/staged-message.js';
import type { EndpointHealth, SchedulerActivity } from '../concurrency/host-scheduler.js';
import type { MessageRelay } from '../relay/message-relay.js';
import { OutboxEngine } from './outbox-engine.js';
import { type OutboxOptions, outboxSettings } from '../model/outbox-options.js';
import type { OutboxDependencies } from './outbox-dependencies.js';
import type { Pause } from '../worker/host-pauses.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { MessageStager } from './message-stager.js';
import { ThornConfigurationError } from '../../errors/index.js';

/**
 * The durable strategy of the application, once its databases can be used.
 *
 * @throws {@link ThornConfigurationError} when it has another one
 */
export async function requireOutbox(strategy: DispatchStrategy): Promise<OutboxStrategy> {
  if (!(strategy instanceof OutboxStrategy)) {
    throw new ThornConfigurationError(
      'Deliveries are kept by the strategy outbox() alone; set dispatch: outbox(), or leave it out',
    );
  }
  await strategy.ready();
  return strategy;
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
  readonly #stager: MessageStager;
  readonly #engine: OutboxEngine;

  /** @throws {@link ThornConfigurationError} when an option makes no sense, or a data source cannot be used */
  constructor(
    private readonly tools: OutboxDependencies,
    options: OutboxOptions = {},
  ) {
    super();
    const settings = outboxSettings(options);
    if (tools.dataSources.length === 0) {
      throw new ThornConfigurationError(
        'outbox() needs a TypeORM data source; name one in dataSources, or use inline()',
      );
    }
    this.#engine = new OutboxEngine(tools, settings);
    // Where nobody here delivers, and nobody is given it, others may take it at once.
    const leaseFor = settings.worker || tools.relay?.carries === true ? settings.lease : 0;
    this.#stager = new MessageStager(
      this.#engine.stores,
      leaseFor,
      settings.queryTimeout,
      tools.clock,
    );
  }

  /**
   * The data sources' tables, for who shows and changes what is in them.
   *
   * @internal
   */
  get stores(): readonly OutboxStore[] {
    return this.#engine.stores;
  }

  /**
   * What carries messages to other processes, if anything does.
   *
   * @internal
   */
  get relay(): MessageRelay | undefined {
    return this.tools.relay;
  }

  /** What this process is doing at the moment, for gauges. */
  activity(): SchedulerActivity {
    return this.#engine.scheduler.activity();
  }

  /** What this process knows of the hosts whose health is not simply good. */
  endpoints(): readonly EndpointHealth[] {
    return this.#engine.scheduler.endpoints();
  }

  /** The hosts that the operator has paused. */
  pauses(): Promise<readonly Pause[]> {
    return this.#engine.pauses.list();
  }

  /**
   * Lets nothing be sent to a host, until {@link resume}: what is due for it waits, in every process within a few
   * seconds.
   *
   * @param host as in the URLs of subscribers: in lower case, with its port unless that is 443 or 80; `*` for all
   * @throws {@link InvalidInputError} for `host`
   */
  async pause(host: string): Promise<void> {
    await this.#engine.pauses.add(host);
    await this.#engine.pauseWatcher.refresh();
  }

  /** Ends a pause; what has waited goes within half a minute. @returns whether there was one */
  async resume(host: string): Promise<boolean> {
    const wasPaused = await this.#engine.pauses.remove(host);
    await this.#engine.pauseWatcher.refresh();
    return wasPaused;
  }

  /** Rejects when the relay's queue cannot be reached; there need not be one. */
  async checkRelay(): Promise<void> {
    await this.tools.relay?.check();
  }

  /**
   * Looks for due deliveries at once.
   *
   * @internal
   */
  wake(): void {
    this.#engine.claims.wake();
  }

  /**
   * Resolves when the databases can be used: opens them once, and again after a failure.
   *
   * @internal
   */
  ready(): Promise<void> {
    return this.#engine.ready();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#engine.start();
  }

  /** Claims nothing new; what is sent meanwhile is still delivered. */
  async onModuleDestroy(): Promise<void> {
    await this.#engine.pause();
  }

  /** Delivers what it can until the deadline, and lets other processes take the rest. */
  async onApplicationShutdown(): Promise<void> {
    await this.#engine.end();
  }

  override async stage(
    messages: readonly Message[],
    manager: EntityManager | undefined,
  ): Promise<void> {
    await this.ready();
    await this.#stager.stage(messages, manager);
  }

  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    const accepted: StagedMessage[] = [];
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
    this.#engine.handOver.handOver(accepted);
    return releases;
  }

  override async discard(messages: readonly Message[]): Promise<void> {
    await this.#stager.discard(messages);
  }

  #tell(message: Message): void {
    this.tools.events.emit('message-accepted', () => ({
      messageId: message.id,
      event: message.event,
      owner: message.owner,
      time: message.time,
    }));
  }
}
