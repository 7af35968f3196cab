import { type ReportedTables, WebhookEvent, Webhooks } from '../../../lib/capture/index.js';
import {
  AbstractLogger,
  Column,
  DataSource,
  Entity,
  PrimaryGeneratedColumn,
  type EntityManager,
  type QueryRunner,
} from 'typeorm';
import type { JoinedTransaction, SqlClient, SqlTables } from '../../../lib/database/sql-client.js';
import {
  EntityCapture,
  type EntityCaptureOptions,
} from '../../../lib/typeorm/hooks/entity-capture.js';
import { CapturedTransactions } from '../../../lib/typeorm/sources/captured-transactions.js';
import { type Clock, SystemClock } from '../../../lib/common/time.js';
import {
  Deliverer,
  type DeliveryLog,
  PublicRecipientPolicy,
  type PublicRecipientPolicyOptions,
  StandardDeliveryLog,
  type RetryPolicy,
  StandardRetryPolicy,
  UndiciHttpClient,
  WebhookEvents,
} from '../../../lib/delivery/index.js';
import { FanOut, MessagePipeline, UnheardEvents } from '../../../lib/dispatch/index.js';
import {
  Codecs,
  type Message,
  type MessageDraft,
  MessageFactory,
  WebhookFormats,
} from '../../../lib/message/index.js';
import {
  DeliveryReports,
  Deliveries,
  type OutboxOptions,
  OutboxStrategy,
  SqlClients,
  SubscriberHealth,
  type MessageRelay,
} from '../../../lib/outbox/index.js';
import { outboxEntities } from '../../../lib/typeorm/schema/thorn-schema.js';
import { DataSourceClient } from '../../../lib/typeorm/data-source-client.js';
import { SqliteClient } from '../../../lib/typeorm/sqlite/sqlite-client.js';
import { SecretSealer, StandardWebhookSigner } from '../../../lib/signing/index.js';
import {
  type HealthRules,
  InMemorySubscriberRepository,
  StaticSubscriberSet,
  type Subscriber,
  type SubscriberRepository,
} from '../../../lib/subscriber/index.js';
import { LOOPBACK_RECIPIENTS } from '../../../lib/testing/index.js';
import type { TestDatabase } from '../databases.js';

/** Long runs have more to wait for. */
const PATIENCE = process.env['THORN_LONG'] === '1' ? 100_000 : 60_000;

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** An article whose creation is an event. */
@Entity()
@Webhooks<Article>({ payload: ({ id, title }) => ({ id, title }) })
@WebhookEvent<Article>('article.created', { on: 'create' })
export class Article {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'text' })
  title!: string;
}

/** Records every statement of a data source, those on the library's own connection included. */
export class StatementLogger extends AbstractLogger {
  readonly statements: string[] = [];
  /** The same with their parameters. */
  readonly queries: { readonly sql: string; readonly parameters: readonly unknown[] }[] = [];
  /** Those of query runners alone: of the application's transactions. */
  readonly ofRunners: string[] = [];

  constructor() {
    super('all');
  }

  override logQuery(
    sql: string,
    parameters: readonly unknown[] = [],
    queryRunner?: QueryRunner,
  ): void {
    this.statements.push(sql);
    if (queryRunner !== undefined) this.ofRunners.push(sql);
    this.queries.push({ sql, parameters });
  }

  protected override writeLog(): void {}
}

export interface OutboxAppOptions extends OutboxOptions {
  readonly clock?: Clock;
  readonly synchronize?: boolean;
  /** The entities of the application. Default: {@link Article}. */
  readonly entities?: readonly Function[];
  /** Whether statements are noted in `log`. Default true. */
  readonly isLogged?: boolean;
  /** Default: this machine's own addresses 127.0.0.1 and ::1. */
  readonly recipients?: PublicRecipientPolicyOptions;
  /** Default: in memory. */
  readonly subscribers?: SubscriberRepository | ((tables: SqlTables) => SubscriberRepository);
  /** Of a request. Default: so long that who is slow on a busy machine has not failed. */
  readonly timeout?: number;
  readonly schedule?: readonly number[];
  /** Default: the standard policy with `schedule`. */
  readonly retryPolicy?: RetryPolicy;
  /** Default: keeps everything. */
  readonly deliveryLog?: DeliveryLog;
  /** Default: seals nothing. */
  readonly sealer?: SecretSealer;
  /** Default: keeps nothing of it. */
  readonly health?: Partial<HealthRules>;
  /** What carries messages to other processes. Default: nothing does. */
  readonly relay?: MessageRelay | undefined;
  /** Whether events that nobody would get are left out, as in an application. Default false. */
  readonly leavesOutUnheard?: boolean;
  readonly serializeTransactions?: EntityCaptureOptions['serializeTransactions'];
  /** The client that messages are staged with. Default: the data source's. */
  readonly clientOf?: (dataSource: DataSource) => SqlClient<never>;
  /** The tables whose changes triggers write down. Default: none. */
  readonly reported?: (app: Pick<OutboxApp, 'message'>) => ReportedTables;
  /** Sees the data source before anything of ours is attached to it. */
  readonly prepare?: (dataSource: DataSource) => void;
}

/** Forgets what it is told, for tests that count statements. */
class NoHealth extends SubscriberHealth {
  override count(): void {}
}

/** The outbox of an application, with everything that it needs. */
export interface OutboxApp {
  readonly dataSource: DataSource;
  readonly strategy: OutboxStrategy;
  readonly deliveries: Deliveries;
  readonly reports: DeliveryReports;
  readonly pipeline: MessagePipeline;
  readonly transactions: CapturedTransactions;
  readonly subscribers: SubscriberRepository;
  readonly statics: StaticSubscriberSet;
  readonly events: WebhookEvents;
  readonly clock: Clock;
  readonly log: StatementLogger;
  message(draft?: Partial<MessageDraft>): Message;
  /** Stages and releases, outside of any transaction. */
  send(draft?: Partial<MessageDraft>): Promise<Message>;
  rows(sql: string, parameters?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Resolves when the query answers rows for which `isDone` is true. */
  until(
    sql: string,
    isDone: (rows: Record<string, unknown>[]) => boolean,
  ): Promise<Record<string, unknown>[]>;
  readonly close: () => Promise<void>;
}

/** Opens an outbox. It needs no Vitest, so that a process of its own can open one too. */
export async function openOutboxApp(
  { options }: Pick<TestDatabase, 'options'>,
  {
    clock = new SystemClock(),
    synchronize = true,
    entities = [Article],
    isLogged = true,
    recipients = LOOPBACK_RECIPIENTS,
    subscribers: given = new InMemorySubscriberRepository(),
    timeout = 30_000,
    schedule,
    retryPolicy = new StandardRetryPolicy(schedule === undefined ? {} : { schedule }),
    prepare,
    deliveryLog = new StandardDeliveryLog(),
    sealer = new SecretSealer(),
    health,
    relay,
    leavesOutUnheard = false,
    serializeTransactions = true,
    clientOf = knownClient,
    reported,
    ...outboxOptions
  }: OutboxAppOptions = {},
): Promise<OutboxApp> {
  const log = new StatementLogger();
  const dataSource = await new DataSource({
    ...options,
    entities: [...entities, ...outboxEntities],
    synchronize,
    ...(isLogged && { logger: log }),
  }).initialize();
  prepare?.(dataSource);
  const clients = new SqlClients([clientOf(dataSource)]);
  const subscribers = typeof given === 'function' ? given(clients.database!) : given;
  const policy = new PublicRecipientPolicy(recipients);
  const client = new UndiciHttpClient(policy);
  const codecs = new Codecs();
  const formats = new WebhookFormats();
  const statics = new StaticSubscriberSet({
    checkUrl: (url) => policy.checkUrl(url),
    checkSecret: () => undefined,
    contentTypes: codecs.contentTypes,
    formats,
  });
  const events = new WebhookEvents();
  const fanOut = new FanOut(subscribers, statics, clock);
  const strategy = new OutboxStrategy(
    {
      clients,
      fanOut,
      deliverer: new Deliverer(client, new StandardWebhookSigner(), clock, { timeout }),
      codecs,
      sealer,
      policy: retryPolicy,
      formats,
      events,
      health:
        health === undefined
          ? new NoHealth(subscribers, events, clock, {})
          : new SubscriberHealth(subscribers, events, clock, { health }),
      log: deliveryLog,
      clock,
    },
    { pollInterval: 25, ...outboxOptions },
    relay,
  );
  const factory = new MessageFactory(clock, codecs);
  const unheard = new UnheardEvents(strategy, fanOut, { keep: !leavesOutUnheard });
  const pipeline = new MessagePipeline(strategy, clock, undefined, unheard);
  const capture = new EntityCapture(knownClient(dataSource), {
    messageFactory: factory,
    pipeline,
    serializeTransactions,
  });
  capture.attach();
  const rows = (sql: string, parameters: unknown[] = []) =>
    dataSource.query<Record<string, unknown>[]>(sql, parameters);
  const message = (draft: Partial<MessageDraft> = {}) =>
    factory.create({ event: 'order.placed', data: { id: 1 }, ...draft });
  const tables = reported?.({ message });
  await strategy.start(() => tables);
  const deliveries = new Deliveries(strategy, subscribers, fanOut, events, deliveryLog, clock);
  return {
    dataSource,
    strategy,
    deliveries,
    reports: new DeliveryReports(strategy, deliveries, subscribers, fanOut, formats, clock),
    pipeline,
    transactions: new CapturedTransactions([capture]),
    subscribers,
    statics,
    events,
    clock,
    log,
    message,
    send: async (draft) => {
      const sent = message(draft);
      await pipeline.send([sent]);
      return sent;
    },
    rows,
    until: async (sql, isDone) => {
      const end = Date.now() + PATIENCE;
      // Less and less often: the query would take the processor from what it waits for.
      for (let pause = 5; ; pause = Math.min(2 * pause, 80)) {
        const found = await rows(sql);
        if (isDone(found)) return found;
        if (Date.now() > end) throw new Error(`waited in vain: ${sql}: ${JSON.stringify(found)}`);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    },
    close: async () => {
      capture.detach();
      await strategy.onApplicationShutdown();
      await client.close();
      if (dataSource.isInitialized) await dataSource.destroy();
    },
  };
}

/** The transaction that a manager is in. */
export function joined(manager: EntityManager): JoinedTransaction {
  return knownClient(manager.dataSource).join(manager);
}

const known = new WeakMap<DataSource, DataSourceClient>();

/** The client of a data source: its transactions are compared by it. */
function knownClient(dataSource: DataSource): DataSourceClient {
  const isSqlite = dataSource.options.type === 'better-sqlite3';
  const client =
    known.get(dataSource) ?? new (isSqlite ? SqliteClient : DataSourceClient)(dataSource);
  known.set(dataSource, client);
  return client;
}

let count = 0;

export function subscriber(url: string, changes: Partial<Subscriber> = {}): Subscriber {
  return {
    id: `sub_${++count}`,
    owner: null,
    url,
    events: ['*'],
    contentType: 'application/json',
    digest: 'sha256',
    secrets: [{ value: SECRET, expiresAt: null }],
    enabled: true,
    description: null,
    exclude: [],
    filter: null,
    changed: null,
    fields: null,
    thin: false,
    template: null,
    rateLimit: null,
    ordered: false,
    onExhausted: 'skip',
    holdFor: null,
    expiresAt: null,
    key: null,
    format: null,
    verification: 'none',
    headers: {},
    auth: null,
    timeout: null,
    metadata: {},
    createdAt: new Date(0),
    updatedAt: new Date(0),
    ...changes,
  };
}
