import type { OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import { heldWhile, type JoinedTransaction } from '../../database/sql-client.js';
import { DispatchStrategy, type EventStore, type Release } from '../../dispatch/index.js';
import type { Message } from '../../message/index.js';
import type { HealthState } from '../../subscriber/index.js';
import { MessageStager } from '../stage/message-stager.js';
import type { OutboxStore, StagedMessage } from '../store/outbox-store.js';
import type { EndpointHealth, SchedulerActivity } from '../wait/host-scheduler.js';
import type { MessageRelay } from '../relay/message-relay.js';
import type { ChangeCounts } from '../changes/change-table.js';
import { CommitWatcher } from '../stage/commit-watcher.js';
import { OutboxEngine, type ReportedTablesOf } from './outbox-engine.js';
import { type OutboxOptions, checkOutboxOptions } from '../outbox-options.js';
import type { OutboxDependencies } from './outbox-dependencies.js';
import type { KeyQueue } from '../tables/deliveries.js';
import type { Pause } from '../wait/host-pauses.js';
import { ThornConfigurationError } from '../../errors/index.js';

/**
 * The durable strategy of the application, once its database can be used.
 *
 * @throws {@link ThornConfigurationError} when the application has another strategy
 */
export async function requireOutbox(strategy: DispatchStrategy): Promise<OutboxStrategy> {
  if (!(strategy instanceof OutboxStrategy)) {
    throw new ThornConfigurationError(
      'THORN_OUTBOX_REQUIRED',
      'Only the strategy outbox() keeps deliveries. Set dispatch: outbox(), or leave the option out.',
    );
  }
  await strategy.ready();
  return strategy;
}

/**
 * The durable strategy. A message is written in the transaction that it belongs to, already leased to this process, and
 * handed over in memory after the commit. Outcomes of deliveries are written in sets. Messages and deliveries that a
 * process leaves behind are claimed once their leases have expired.
 */
export class OutboxStrategy
  extends DispatchStrategy
  implements OnModuleDestroy, OnApplicationShutdown
{
  readonly #stager: MessageStager;
  readonly #engine: OutboxEngine;
  readonly #commits: CommitWatcher;
  readonly #hasWorker: boolean;
  readonly #logDays: number;
  /** False when other processes may claim what this one stages. */
  readonly #leases: boolean;

  /** @throws {@link ThornConfigurationError} when an option makes no sense, or the database cannot be used */
  constructor(
    dependencies: OutboxDependencies,
    options: OutboxOptions = {},
    /** @internal */
    readonly relay?: MessageRelay,
  ) {
    super();
    const settings = checkOutboxOptions(options);
    const [client, ...others] = dependencies.clients.all;
    if (client === undefined) {
      throw new ThornConfigurationError(
        'THORN_DATA_SOURCE_MISSING',
        'outbox() needs a database. Give the option database, name a TypeORM data source in the option dataSources, or use ' +
          'inline().',
      );
    }
    if (others.length > 0) {
      throw new ThornConfigurationError(
        'THORN_OPTION_INVALID',
        'The option dataSources names several data sources, and an outbox is in one database. Name one, and give each other ' +
          'database an outbox of its own in an application of its own; or use inline().',
        { option: 'dataSources' },
      );
    }
    this.#engine = new OutboxEngine(client, dependencies, settings, relay);
    const { store } = this.#engine;
    this.#hasWorker = settings.worker;
    this.#logDays = settings.retentionDays;
    // When neither this process nor a relay delivers, other processes may claim a message at once.
    const leaseFor = settings.worker || relay?.carries === true ? settings.lease : 0;
    this.#stager = new MessageStager(
      store,
      leaseFor,
      settings.pollInterval,
      settings.queryTimeout,
      dependencies.clock,
    );
    this.#commits = new CommitWatcher(store, { ...settings, clock: dependencies.clock }, (seen) => {
      this.committed();
      this.#engine.accept(seen);
    });
    this.#leases = leaseFor > 0;
  }

  override label(): string {
    const { relay } = this;
    const name = relay === undefined ? 'outbox()' : (relay.label?.() ?? relay.constructor.name);
    return `${name} ${this.#hasWorker ? 'with' : 'without'} a worker`;
  }

  override isWorker(): boolean {
    return this.#hasWorker;
  }

  override logDays(): number {
    return this.#logDays;
  }

  override leavesOutUnheard(): boolean {
    return true;
  }

  override eventStore(): EventStore | undefined {
    return this.store.history ?? undefined;
  }

  /**
   * The tables of the outbox, for the management of deliveries.
   *
   * @internal
   */
  get store(): OutboxStore {
    return this.#engine.store;
  }

  /** The deliveries of this process at this moment, for gauges. */
  activity(): SchedulerActivity {
    return this.#engine.scheduler.activity();
  }

  /** The hosts whose latest requests failed, as this process knows them. */
  endpoints(): readonly EndpointHealth[] {
    return this.#engine.scheduler.endpoints();
  }

  /** When a subscriber of this health is disabled; null while that is far or never. @internal */
  disablesAt(health: HealthState): number | null {
    return this.#engine.health.disablesAt(health);
  }

  /** The hosts that the operator has paused, also where there is no table for pauses. @internal */
  pausedHosts(): Promise<ReadonlySet<string>> {
    return this.#engine.pauses.hosts();
  }

  /** The hosts that the operator has paused. */
  pauses(): Promise<readonly Pause[]> {
    return this.#engine.pauses.list();
  }

  /**
   * Stops all requests to a host until {@link resume}: its deliveries wait, in every process within a few seconds.
   *
   * @param host as in the URLs of subscribers: in lower case, with its port unless that is 443 or 80; `*` for all
   * @throws {@link InvalidInputError} for `host`
   */
  pause(host: string): Promise<void> {
    return this.#engine.pauses.add(host);
  }

  /** Ends a pause. Its deliveries go within half a minute. @returns whether the host was paused */
  resume(host: string): Promise<boolean> {
    return this.#engine.pauses.remove(host);
  }

  /** Rejects when the relay's queue cannot be reached. Resolves when there is no relay. */
  async checkRelay(): Promise<void> {
    await this.relay?.check();
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
   * Gives the first delivery of each queue its turn, unless one has it.
   *
   * @internal
   */
  promote(queues: readonly KeyQueue[]): void {
    this.#engine.queues.promote(queues);
  }

  /**
   * Resolves when the database can be used: opens it once, and again after a failure.
   *
   * @internal
   */
  ready(): Promise<void> {
    return this.#engine.ready();
  }

  /**
   * Starts the worker, if this process has one. The module calls it once the tables have been checked.
   *
   * @param reportedBy the tables whose changes triggers write down. Default: none
   * @internal
   */
  async start(reportedBy: ReportedTablesOf = () => undefined): Promise<void> {
    await this.#engine.start(reportedBy);
  }

  /** Counts the changes of tables that no message was made of so far. Null where no table has events. */
  async changes(): Promise<ChangeCounts | null> {
    return (await this.#engine.changes?.counts()) ?? null;
  }

  /**
   * Lets workers try the changes again that have failed.
   *
   * @internal
   * @returns how many
   */
  async retryChanges(): Promise<number> {
    const count = (await this.#engine.changes?.retry()) ?? 0;
    this.committed();
    return count;
  }

  /** Looks for changes that triggers have written down. */
  override committed(): void {
    this.#engine.commits.wake();
  }

  /** Claims nothing new. Messages that are sent meanwhile are still delivered. */
  async onModuleDestroy(): Promise<void> {
    await this.#engine.pause();
  }

  /** Delivers as much as it can until the deadline, and releases the rest to other processes. */
  async onApplicationShutdown(): Promise<void> {
    this.#commits.stop();
    await this.#engine.end();
  }

  // A transaction waits for it, and each promise costs as much as the rest of it.
  override stage(
    messages: readonly Message[],
    transaction: JoinedTransaction | undefined,
  ): Promise<void> {
    // On SQLite the outbox cannot open while this transaction has the file: each would wait for the other.
    return this.#engine.isReady || transaction?.dialect.name === 'sqlite'
      ? this.#stager.stage(messages, transaction)
      : heldWhile(transaction, this.#engine.ready()).then(() =>
          this.#stager.stage(messages, transaction),
        );
  }

  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    const accepted: StagedMessage[] = [];
    const releases = messages.map((message): Release => {
      const staged = this.#stager.release(message);
      if (staged !== null) accepted.push({ message, ...staged });
      return {
        message: message.id,
        state: staged === null ? 'duplicate' : 'accepted',
        attempts: [],
      };
    });
    this.committed();
    this.#engine.accept(accepted);
    return releases;
  }

  override releaseOnCommit(messages: readonly Message[]): void {
    const staged = messages.flatMap((message) => {
      const own = this.#stager.release(message);
      return own === null ? [] : [{ message, ...own }];
    });
    if (this.#leases) this.#commits.watch(staged);
  }

  override async discard(messages: readonly Message[]): Promise<void> {
    await this.#stager.discard(messages);
  }
}
