import type { DynamicModule, Type } from '@nestjs/common';
import type {
  ApiRequest,
  OperatorApiOptions,
  PageDefinition,
  ThornApiOptions,
} from '../../api/index.js';
import type { TableEvents } from '../../capture/index.js';
import type { SerializeTransactions } from '../../database/sqlite-handle.js';
import type { Clock } from '../../common/index.js';
import type {
  AnswerHeaderOptions,
  DeliveryLog,
  KeptAttempts,
  RecipientPolicy,
  RetryPolicy,
  StandardRetryPolicyOptions,
  UndiciHttpClientOptions,
  WebhookHttpClient,
} from '../../delivery/index.js';
import type { SqlClientDefinition } from '../../sql/index.js';
import type { DispatchSetting, SubscriberNotifier } from '../../dispatch/index.js';
import type { BulkSettings, EventDefinitions } from '../../event/index.js';
import type {
  EncryptionOptions,
  SigningOptions,
  UnsubscribeOptions,
  WebhookSigner,
} from '../../signing/index.js';
import type {
  Codec,
  EnvelopeOption,
  MessageTracing,
  RecipientsOption,
  ShapeOptions,
  SubscriberSource,
  WebhookFormat,
} from '../../message/index.js';
import type { HealthRules, SubscriberRepository } from '../../subscriber/index.js';

/** Values that `ThornModule.forRoot()` takes, and that the factory of `forRootAsync()` answers. */
export interface ThornModuleOptions extends BulkSettings {
  /** The URL that relative `ref`s are resolved against, for example `https://api.example.com`. Default: they stay relative. */
  readonly baseUrl?: string;
  /** Deadline of one request in milliseconds, the answer's body included. Default 15,000. */
  readonly timeout?: number;
  /** The `User-Agent` of requests. Default `nestjs-thorn`. */
  readonly userAgent?: string;
  /**
   * The addresses to which webhooks may go. `development`: this machine and private networks as well, on every port;
   * refused where `NODE_ENV` is `production`. Default: public addresses on ports 80 and 443.
   */
  readonly recipients?: RecipientsOption;
  /**
   * When failed deliveries are tried again. Refused beside `retryPolicy`, which decides for itself. Default: the schedule of
   * Standard Webhooks, over about three days.
   */
  readonly retries?: StandardRetryPolicyOptions;
  /**
   * The attempts that the delivery log keeps: `everything`, `failures` or `nothing`. Default: everything. Deliveries stay in
   * it in any case.
   */
  readonly keepAttempts?: KeptAttempts;
  /** The headers of answers that attempts keep. Default: a few harmless ones, of attempts that failed. */
  readonly answerHeaders?: AnswerHeaderOptions;
  /**
   * A proxy that all webhooks go through, by `CONNECT`, for example `http://user:password@proxy.example.com:3128`. It
   * then looks names up and judges addresses. Default: none; proxy variables of the environment are ignored.
   */
  readonly egressProxy?: string;
  /**
   * Settings of the default HTTP client. Beside `httpClient`, `lookup` alone: it also looks up the hosts of new subscribers.
   * Default: those of the client.
   */
  readonly http?: Omit<UndiciHttpClientOptions, 'egressProxy'>;
  /**
   * Shape of the bodies: `standard` (`type`, `timestamp`, `data`, with `ref` and `owner` where the event declares them),
   * `thorn` (`event`, `ref`, `sender`, `data`), or what a function makes of the standard one. Default `standard`.
   */
  readonly envelope?: EnvelopeOption;
  /** Content types besides JSON and the form encoding, by media type. */
  readonly codecs?: Readonly<Record<string, Codec>>;
  /**
   * Formats that subscribers may have besides `standard`, by name, such as Slack's. Not beside an `envelope` that is a
   * function. Default none.
   */
  readonly formats?: Readonly<Record<string, WebhookFormat>>;
  /** The bodies that subscribers may ask for, besides `fields`: templates, and bodies without data. Default: none. */
  readonly shapes?: ShapeOptions;
  /** Static subscribers by pattern of event names, for example `{ 'order.*': 'https://warehouse.example.com/hooks' }`. */
  readonly subscribers?: Readonly<Record<string, SubscriberSource>>;
  /** Events that are sent by hand, and descriptions; see {@link defineEvents}. */
  readonly events?: EventDefinitions | readonly EventDefinitions[];
  /**
   * Tables whose changes send events, by any program that writes their rows; see docs/events/tables.md. They are in the
   * database of the option `database`, or of the data source. The same in all processes. Default: none.
   */
  readonly tables?: readonly TableEvents[];
  /**
   * True: the start makes the triggers of `tables` and of entities with `capture: 'triggers'` where they are missing or outdated,
   * and the table `thorn_changes`. For development, tests and samples: refused where `NODE_ENV` is `production`. Default false.
   */
  readonly makeTriggers?: boolean;
  /** Patterns of the events that may be subscribed to. Default: every declared event. */
  readonly eventTypes?: readonly string[];
  /** True: sending an event that is not declared is an error. Default false. */
  readonly strictEvents?: boolean;
  /**
   * True: `outbox()` stores messages even when nobody is subscribed to their event, so that a later backfill finds them.
   * Default false.
   */
  readonly keep?: boolean;
  /**
   * True: bodies of messages with a key have `key` and `sequence`, so that both are signed; see docs/order.md. Default
   * false: they are in headers alone.
   */
  readonly orderInBody?: boolean;
  /** Signatures besides the signatures by secrets of subscribers: ed25519, `Hook-HMAC`. Default: none. */
  readonly signing?: SigningOptions;
  /** A signed link in `Hook-Unsubscribe`, by which receivers unsubscribe at the REST API. Default: none is sent. */
  readonly unsubscribe?: UnsubscribeOptions;
  /** Seals secrets in the database. Default: they are stored as they are. */
  readonly encryption?: EncryptionOptions;
  /** When a subscriber that only fails is disabled. Default: after five days and 20 messages. */
  readonly health?: Partial<HealthRules>;
  /**
   * Days for which subscribers are kept once their `expiresAt` has passed, for their owners to see and to renew. Default 7;
   * `Infinity`: for ever.
   */
  readonly expiredDays?: number;
  /**
   * Is told of each change of a subscriber: created, changed, removed, failing, disabled, recovered, expired. At least once,
   * by one process with a worker, also after a crash; see docs/notices.md. Give it in every process, since a process without
   * it notes no change to be told. Default: nobody is told.
   */
  readonly notify?: SubscriberNotifier;
  /** The greatest age of this process' view of subscribers that other processes change, in milliseconds. Default 5,000. */
  readonly maxStaleness?: number;
  /**
   * With TypeORM on SQLite: `true` lets transactions and writes of different callers wait for each other, for ten seconds
   * or `timeout` milliseconds; `false` lets TypeORM mix transactions that overlap, so that a rollback also removes rows that
   * others wrote. Default `true`.
   */
  readonly serializeTransactions?: SerializeTransactions;
  /**
   * Whether each call that sends must name its transaction. `required`: `send()` and its like are refused where `tx` is left
   * out and no
   * transaction is known, as that of `dataSource.transaction()` and of `@nestjs-cls/transactional` are; `tx: null` sends
   * at once. The same for events on methods, at the start. `optional`: these are sent at once as well. Default
   * `required` with the option `database`, `optional` with TypeORM.
   */
  readonly transactions?: 'optional' | 'required';
  /**
   * Whether the start warns of settings that cause problems in production, such as `synchronize: true`. Only where
   * `NODE_ENV` is neither `production` nor `test`. Default true.
   */
  readonly selfCheck?: boolean;
}

/** Structure that must be known before any factory runs: given beside `useFactory` in `forRootAsync()`. */
export interface ThornModuleExtras<Request extends object = ApiRequest> {
  /** The strategy that decides where and when deliveries are made. Default `outbox()`, or `inline()` without a database. */
  dispatch?: DispatchSetting;
  /** The REST API. Default: off. */
  api?: ThornApiOptions<Request>;
  /** The REST API for operators, across owners. Default: off. */
  operatorApi?: OperatorApiOptions;
  /** The page of owners and operators: `thornPage()` of `nestjs-thorn/page`. It needs `api`. Default: off. */
  page?: PageDefinition;
  /**
   * The application's database client, where that is not TypeORM: `fromPrisma()` and others of `nestjs-thorn/sql`, see
   * docs/databases.md. Refused beside `dataSources`. Default: the TypeORM data sources.
   */
  database?: SqlClientDefinition<never>;
  /**
   * Names of the TypeORM data sources whose entities are captured: one for an outbox. `inline()` takes several, and keeps
   * subscribers in the first. Default `['default']`. Empty: no database, subscribers are kept in memory.
   */
  dataSources?: readonly string[];
  /** Modules whose providers the classes given here, and the guards of the API, inject. */
  imports?: DynamicModule['imports'];
  /** Keeps subscribers. Default: the table `thorn_subscribers`, or memory without a database. */
  subscriberRepository?: Type<SubscriberRepository>;
  /** Signs requests. Default: `StandardWebhookSigner`. */
  signer?: Type<WebhookSigner>;
  /** Judges URLs and addresses. Default: `PublicRecipientPolicy` with the option `recipients`. */
  recipientPolicy?: Type<RecipientPolicy>;
  /** Says when a failed delivery is tried again. Default: `StandardRetryPolicy` with the option `retries`. */
  retryPolicy?: Type<RetryPolicy>;
  /** Chooses the attempts that are kept. Default: `StandardDeliveryLog` with the option `keepAttempts`. */
  deliveryLog?: Type<DeliveryLog>;
  /** Makes the requests. Default: undici, with the option `http`. */
  httpClient?: Type<WebhookHttpClient>;
  /** The tracing that follows messages through processes: `openTelemetry()` of `nestjs-thorn/opentelemetry`. Default: nothing. */
  tracing?: Type<MessageTracing>;
  /** The time. Default: that of the system. */
  clock?: Type<Clock>;
  /** Lets every module inject the services. Default true. */
  global?: boolean;
}
