import { Logger } from '@nestjs/common';
import { errorText, FaultLog } from '../../common/index.js';
import { withTimeout, WakeSignal } from '../../common/waiting.js';
import { ClaimLoop } from '../wait/claim-loop.js';
import { AttemptRunner, type Readmission } from '../attempt/attempt-runner.js';
import { KeyQueues } from '../wait/key-queues.js';
import { HandOver } from '../relay/hand-over.js';
import { HostScheduler } from '../wait/host-scheduler.js';
import { LeaseRenewal } from '../store/lease-renewal.js';
import { DeliveryLogNotifier } from '../record/delivery-log-notifier.js';
import type { MessageRelay } from '../relay/message-relay.js';
import { MessageRowMapper } from '../tables/message-row-mapper.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import type { CheckedOutboxOptions } from '../outbox-options.js';
import type { OutboxDependencies } from './outbox-dependencies.js';
import { HostPauses } from '../wait/host-pauses.js';
import { PaceTable } from '../wait/pace-table.js';
import { RateLimiter } from '../wait/rate-limiter.js';
import { HostCache } from '../../message/recipient.js';
import { RelayReceiver } from '../relay/relay-receiver.js';
import { failWaiting, type WaitingEnd } from '../record/fail-waiting.js';
import { AfterWrite, type AfterWriteParts } from './after-write.js';
import type { SubscriberHealth } from '../record/subscriber-health.js';
import { RetryScheduler } from '../wait/retry-scheduler.js';
import { OutboxStore, type StagedMessage } from '../store/outbox-store.js';
import type { ReportedTables } from '../../capture/index.js';
import type { SqlClient } from '../../database/sql-client.js';
import { ChangeReader } from '../changes/change-reader.js';
import { ChangeTable } from '../changes/change-table.js';
import { HeardTables } from '../changes/heard-tables.js';

/** Finds the tables of a client whose changes triggers report. */
export type ReportedTablesOf = (client: SqlClient<never>) => ReportedTables | undefined;

const DECLARE_AGAIN_AFTER = 1000;
/** Milliseconds for releasing leases at the end, when `drainTimeout` has passed already. */
const RELEASES_WITHIN = 500;

/**
 * Delivers stored messages: messages that this process has just stored, messages that a relay brings, and messages and
 * deliveries that are due in the database. A job passes the rate limiter, waits in the scheduler for a slot of its
 * host, and is run by the runner. The recorder of the store writes the outcome.
 *
 * The constructor makes the parts in the order in which they need each other. Two of them call a part that is made later: the
 * runner gives jobs back to the rate limiter, and the recorder of the store tells the parts that act after a write. Both are given
 * the engine, in which they find the later part when they run.
 */
export class OutboxEngine implements AfterWriteParts, Readmission {
  readonly #logger = new Logger('Thorn');
  readonly #faults = new FaultLog();
  readonly store: OutboxStore;
  readonly scheduler: HostScheduler<DeliveryJob>;
  readonly receiver: RelayReceiver;
  readonly notifier: DeliveryLogNotifier;
  readonly health: SubscriberHealth;
  readonly pauses: HostPauses;
  readonly handOver: HandOver;
  /** The deliveries to ordered subscribers. */
  readonly queues: KeyQueues;
  /** Makes the claim loops look at once. */
  readonly claims: WakeSignal = new WakeSignal();
  /** Makes the readers of changes look at once. */
  readonly commits: WakeSignal = new WakeSignal();
  readonly #runner: AttemptRunner;
  readonly #limiter: RateLimiter;
  readonly #retries: RetryScheduler;
  readonly #loop: ClaimLoop;
  readonly #renewal: LeaseRenewal;
  /** `thorn_changes`, where tables have events. Known since the start. */
  changes: ChangeTable | null = null;
  #reader: ChangeReader | null = null;
  #opened: Promise<void> | null = null;
  #isReady = false;
  #stopListening: () => void = () => undefined;
  #endsAt: number | null = null;
  #isLeaving = false;
  #hasEnded = false;

  /** @throws {@link ThornConfigurationError} when the database cannot be used */
  constructor(
    client: SqlClient<never>,
    private readonly dependencies: OutboxDependencies,
    private readonly settings: CheckedOutboxOptions,
    private readonly relay?: MessageRelay,
  ) {
    const { clock, codecs, fanOut } = dependencies;
    const { lease, worker } = settings;
    this.health = dependencies.health;
    this.notifier = new DeliveryLogNotifier(dependencies.log);
    const rows = new MessageRowMapper(codecs, dependencies.sealer);
    const afterWrite = (store: OutboxStore) => new AfterWrite(store, this);
    const store = new OutboxStore(client, rows, settings, this.notifier, afterWrite);
    this.store = store;
    this.health.start(store.health);

    const runner = new AttemptRunner(dependencies, store, lease, this);
    this.#runner = runner;
    this.scheduler = new HostScheduler(settings, runner, this.claims, clock, Math.random);
    const paces = new PaceTable(store.database, store.tables);
    const limiter = new RateLimiter(paces, this.scheduler, clock);
    this.#limiter = limiter;

    const hosts = new HostCache();
    this.#retries = new RetryScheduler(fanOut, limiter, dependencies.events, hosts, clock);
    const { scheduler, claims } = this;
    const queueing = { retries: this.#retries, fanOut, hosts, claims, clock, lease, worker };
    this.queues = new KeyQueues(store, queueing);
    const { queues } = this;
    const parts = { faults: this.#faults, fanOut, limiter, queues, hosts, clock };
    const claiming = { fanOut: parts, retries: this.#retries, scheduler, claims, clock };
    this.#loop = new ClaimLoop(store, claiming, settings);
    this.#renewal = new LeaseRenewal(store, lease, clock, runner);
    this.pauses = new HostPauses(store.database, scheduler, clock);
    this.receiver = new RelayReceiver(store, { fanOut: parts, clock, lease });
    this.handOver = new HandOver({
      store,
      fanOut: parts,
      receiver: this.receiver,
      relay,
      clock,
      worker,
      claims,
    });
  }

  /**
   * Lets a job pass the rate limiter once more. Its attempt has not begun, because its time or its lease has run out, or
   * because it had no access token.
   */
  readmit(job: DeliveryJob): void {
    this.#limiter.readmit(job);
  }

  /** True once {@link OutboxEngine.ready} has resolved. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when the database can be used: opens it once, and again after a failure. */
  ready(): Promise<void> {
    this.#opened ??= this.store.open().then(
      () => {
        this.#renewal.start();
        this.#isReady = true;
      },
      (error: unknown) => {
        this.#opened = null;
        throw error;
      },
    );
    return this.#opened;
  }

  /** Passes committed messages on to delivery. */
  accept(messages: readonly StagedMessage[]): void {
    for (const { message } of messages) {
      this.dependencies.events.emit('message-accepted', () => ({
        messageId: message.id,
        event: message.event,
        owner: message.owner,
        time: message.time,
      }));
    }
    void this.handOver.handOver(messages);
  }

  /**
   * Begins to deliver, when this process is a worker. Stops half-way when the application closes meanwhile.
   *
   * @param reportedBy the tables whose changes triggers write down
   */
  async start(reportedBy: ReportedTablesOf): Promise<void> {
    if (this.#isPaused) return;
    await this.ready();
    const reader = await this.#declareTables(reportedBy);
    if (this.#isPaused) return;
    await this.relay?.start(this.settings.worker ? this.receiver : null);
    if (this.#isPaused) return this.#callRelay('Closing', (relay) => relay.close());
    if (!this.settings.worker) return;
    await this.pauses.start();
    if (this.#isPaused) return this.pauses.stop();
    this.#loop.start();
    this.queues.start();
    this.#reader = reader;
    reader?.start();
    const { clock, events } = this.dependencies;
    const end = (waiting: WaitingEnd) => failWaiting(this.store, waiting, clock);
    const stops = [
      events.on('subscriber-disabled', ({ subscriberId }) =>
        end({ subscriberId, reason: 'disabled' }),
      ),
      // Deliveries of messages after `expiresAt` exist only if the subscriber was renewed.
      events.on('subscriber-expired', ({ subscriberId, expiresAt }) =>
        end({ subscriberId, reason: 'expired', before: expiresAt }),
      ),
    ];
    this.#stopListening = () => stops.forEach((stop) => stop());
  }

  /** Claims nothing new. Messages that are handed over meanwhile are still delivered. */
  async pause(): Promise<void> {
    this.#endsAt ??= performance.now() + this.settings.drainTimeout;
    this.#stopListening();
    this.pauses.stop();
    this.queues.pause();
    const stopped = [this.#loop, ...(this.#reader === null ? [] : [this.#reader])].map((one) =>
      one.stop(),
    );
    await this.#beforeEnd(this.#callRelay('Pausing', (relay) => relay.pause()));
    await this.#beforeEnd(Promise.all(stopped));
  }

  /** Delivers as much as it can until the deadline, and releases the rest to other processes. */
  async end(): Promise<void> {
    await this.pause();
    if (this.#isLeaving || !(await this.#isOpen())) return;
    await this.#beforeEnd(this.#drain());
    this.#isLeaving = true;
    this.#renewal.stop();
    this.handOver.stop();
    this.#limiter.stop();
    this.#runner.stop();
    this.queues.stop();
    this.scheduler.removeWaiting();
    const left = Math.max(RELEASES_WITHIN, this.#left);
    await withTimeout(left, this.#release(), () => this.#leasesStay('the database did not answer'));
    this.#hasEnded = true;
    this.health.stop();
    this.store.recorder.close();
    await this.store.database.close();
  }

  /** Makes the tables known whose changes triggers write down. @returns the reader of those changes */
  async #declareTables(reportedBy: ReportedTablesOf): Promise<ChangeReader | null> {
    const { store } = this;
    const { clock, fanOut } = this.dependencies;
    const { changePollInterval: pollInterval, lease } = this.settings;
    const reported = reportedBy(store.client);
    if (reported === undefined || reported.tables.length === 0) return null;
    const heard = new HeardTables(store.database, reported, fanOut);
    await this.#declare(heard);
    const accept = (messages: readonly StagedMessage[]) => this.accept(messages);
    const reading = { clock, commits: this.commits, pollInterval, lease, accept };
    this.changes = new ChangeTable(store.database, reported.tables);
    return new ChangeReader(store, { reported, changes: this.changes, heard }, reading);
  }

  /** Tries again every second while the database does not answer. The application starts meanwhile. */
  async #declare(heard: HeardTables): Promise<void> {
    try {
      await heard.declare();
    } catch (error) {
      if (this.#isPaused) return;
      this.#faults.report('Making tables with events known failed, tried again', error);
      setTimeout(() => void this.#declare(heard), DECLARE_AGAIN_AFTER).unref();
    }
  }

  get #isPaused(): boolean {
    return this.#endsAt !== null;
  }

  /** The milliseconds that are left for draining. */
  get #left(): number {
    return Math.max(0, this.#endsAt! - performance.now());
  }

  /** Waits while there is time for draining. */
  async #beforeEnd(work: Promise<unknown>): Promise<void> {
    await withTimeout(this.#left, work, () => undefined);
  }

  /** Waits for a database that is being opened: an application may close before it has started. */
  #isOpen(): Promise<boolean> {
    if (this.#opened === null) return Promise.resolve(false);
    const opened = this.#opened.then(
      () => true,
      () => false,
    );
    return withTimeout(this.#left, opened, () => false);
  }

  /** Logs a failure of the relay, so that outcomes are still written at the end. */
  async #callRelay(
    doing: string,
    call: (relay: MessageRelay) => Promise<void> | void,
  ): Promise<void> {
    if (this.relay === undefined) return;
    try {
      await call(this.relay);
    } catch (error) {
      this.#faults.report(`${doing} the relay failed`, error);
    }
  }

  async #drain(): Promise<void> {
    await this.#callRelay('Closing', (relay) => relay.close());
    await this.handOver.idle();
    do await this.scheduler.idle();
    while (await this.#runner.tokensCame());
    await this.store.recorder.flush();
    await this.queues.idle();
  }

  async #release(): Promise<void> {
    const now = this.dependencies.clock.now();
    await Promise.all([this.store.giveUp(now), this.handOver.giveUp()])
      .then(() => Promise.all([this.health.idle(), this.notifier.idle()]))
      .catch((error: unknown) => {
        if (!this.#hasEnded) this.#leasesStay(errorText(error));
      });
  }

  #leasesStay(why: string): void {
    this.#logger.error(`Giving up leases failed, they run out by themselves: ${why}`);
  }
}
