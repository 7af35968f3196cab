import type { DynamicModule, Type } from '@nestjs/common';
import type { ThornApiOptions } from './api/index.js';
import type { BulkWrites } from './capture/index.js';
import type { Clock } from './common/index.js';
import type {
  RecipientPolicy,
  RetryPolicy,
  StandardRetryPolicyOptions,
  UndiciHttpClientOptions,
  WebhookHttpClient,
} from './delivery/index.js';
import type { DispatchSetting } from './dispatch/index.js';
import { ThornConfigurationError } from './errors/index.js';
import type { EventDefinitions } from './event/index.js';
import type { Codec, EnvelopeFunction, RecipientRules, SubscriberSource } from './message/index.js';
import type { EncryptionOptions, SigningOptions, WebhookSigner } from './signing/index.js';
import { type HealthRules, healthRules, type SubscriberRepository } from './subscriber/index.js';

/** Values that `ThornModule.forRoot()` takes, and that the factory of `forRootAsync()` answers. */
export interface ThornModuleOptions {
  /** What relative `ref`s are resolved against, for example `https://api.example.com`. Default: they stay relative. */
  readonly baseUrl?: string;
  /** Deadline of one request in milliseconds, the answer's body included. Default 3,000, as in Thorn. */
  readonly timeout?: number;
  /** The `User-Agent` of requests. Default `nestjs-thorn`. */
  readonly userAgent?: string;
  /** Where webhooks may go. Default: public addresses on ports 80 and 443. */
  readonly recipients?: RecipientRules;
  /** When failed deliveries are tried again. Default: the schedule of Standard Webhooks, over about three days. */
  readonly retries?: StandardRetryPolicyOptions;
  /** Settings of the HTTP client. */
  readonly http?: UndiciHttpClientOptions;
  /** Makes the body from the default envelope. Default: the envelope itself. */
  readonly envelope?: EnvelopeFunction;
  /** Content types besides JSON and the form encoding, by media type. */
  readonly codecs?: Readonly<Record<string, Codec>>;
  /** Static subscribers by pattern of event names, for example `{ 'order.*': 'https://warehouse.example.com/hooks' }`. */
  readonly subscribers?: Readonly<Record<string, SubscriberSource>>;
  /** Events that are sent by hand, and descriptions; see {@link defineEvents}. */
  readonly events?: EventDefinitions | readonly EventDefinitions[];
  /** Patterns of the events that may be subscribed to. Default: every declared event. */
  readonly eventTypes?: readonly string[];
  /** True: sending an event that is not declared is an error. Default false. */
  readonly strictEvents?: boolean;
  /** How the application itself signs, besides the secrets of its subscribers. Default: not at all. */
  readonly signing?: SigningOptions;
  /** Seals secrets in the database. Default: they are stored as they are. */
  readonly encryption?: EncryptionOptions;
  /** When a subscriber that only fails is disabled. Default: after five days and 20 messages. */
  readonly health?: Partial<Pick<HealthRules, 'disableAfter' | 'minMessages'>>;
  /** How old this process' view of other processes' changes to subscribers may be, in milliseconds. Default 5,000. */
  readonly maxStaleness?: number;
  /** What a bulk write on an entity with events does: it gives no rows to make messages of. Default `warn`. */
  readonly bulk?: BulkWrites;
}

/** Structure that must be known before any factory runs: given beside `useFactory` in `forRootAsync()`. */
export interface ThornModuleExtras {
  /** Where and when deliveries are made. Default `outbox()`, or `inline()` without a data source. */
  dispatch?: DispatchSetting;
  /** The REST API. Default: off. */
  api?: ThornApiOptions;
  /**
   * Names of the TypeORM data sources whose entities are captured; subscribers are kept in the first. Default
   * `['default']`. Empty: no database, subscribers are kept in memory.
   */
  dataSources?: readonly string[];
  /** Modules whose providers the classes given here, and the guards of the API, inject. */
  imports?: DynamicModule['imports'];
  /** Default: the table `thorn_subscribers`. */
  subscriberRepository?: Type<SubscriberRepository>;
  signer?: Type<WebhookSigner>;
  recipientPolicy?: Type<RecipientPolicy>;
  /** Default: `StandardRetryPolicy` with the option `retries`. */
  retryPolicy?: Type<RetryPolicy>;
  httpClient?: Type<WebhookHttpClient>;
  clock?: Type<Clock>;
  /** Whether every module can inject the services. Default true. */
  global?: boolean;
}

const KNOWN: Readonly<Record<keyof ThornModuleOptions, true>> = {
  baseUrl: true,
  timeout: true,
  userAgent: true,
  recipients: true,
  retries: true,
  http: true,
  envelope: true,
  codecs: true,
  subscribers: true,
  events: true,
  eventTypes: true,
  strictEvents: true,
  signing: true,
  encryption: true,
  health: true,
  maxStaleness: true,
  bulk: true,
};

/** The module's options, checked once at start-up; what the wiring injects. */
export class ThornSettings {
  readonly options: ThornModuleOptions;

  /**
   * @param extraNames options that have to be known earlier, so that a factory gives them in vain
   * @throws {@link ThornConfigurationError} naming the option and its fix
   */
  constructor(options: ThornModuleOptions, extraNames: readonly string[]) {
    checkOptions(options, extraNames);
    this.options = options;
  }
}

function checkOptions(options: ThornModuleOptions, extraNames: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (extraNames.includes(name)) {
      throw refused(
        name,
        'must be given beside useFactory, not by it: it is needed before the factory runs',
      );
    }
    if (!Object.hasOwn(KNOWN, name)) {
      throw refused(
        name,
        `is unknown; known are ${[...Object.keys(KNOWN), ...extraNames].join(', ')}`,
      );
    }
  }
  const { baseUrl, timeout, userAgent, envelope, bulk, health, maxStaleness } = options;
  if (health !== undefined) checkHealth(health);
  if (
    baseUrl !== undefined &&
    !(URL.canParse(baseUrl) && /^https?:$/.test(new URL(baseUrl).protocol))
  ) {
    throw refused(
      'baseUrl',
      "must be an absolute http or https URL, for example 'https://api.example.com'",
    );
  }
  if (timeout !== undefined && !(Number.isInteger(timeout) && timeout > 0)) {
    throw refused('timeout', 'must be a positive whole number of milliseconds');
  }
  if (
    userAgent !== undefined &&
    !/^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/.test(userAgent)
  ) {
    throw refused('userAgent', 'must be up to 256 printable ASCII characters');
  }
  if (envelope !== undefined && typeof envelope !== 'function') {
    throw refused('envelope', 'must be a function of the default envelope');
  }
  if (bulk !== undefined && !['warn', 'throw', 'ignore'].includes(bulk)) {
    throw refused('bulk', "must be 'warn', 'throw' or 'ignore'");
  }
  if (maxStaleness !== undefined && !(Number.isInteger(maxStaleness) && maxStaleness >= 0)) {
    throw refused('maxStaleness', 'must be a whole number of milliseconds, 0 or more');
  }
}

const HEALTH = ['disableAfter', 'minMessages'];

function checkHealth(health: NonNullable<ThornModuleOptions['health']>): void {
  if (typeof health !== 'object' || health === null) {
    throw refused('health', 'must be an object such as { disableAfter: 432_000_000 }');
  }
  const unknown = Object.keys(health).find((name) => !HEALTH.includes(name));
  if (unknown !== undefined) {
    throw refused(`health.${unknown}`, `is unknown; known are ${HEALTH.join(', ')}`);
  }
  try {
    healthRules(health);
  } catch (error) {
    const { message } = error as Error;
    throw new ThornConfigurationError(`ThornModule: the option health.${message}`, {
      option: 'health',
    });
  }
}

function refused(name: string, reason: string): ThornConfigurationError {
  return new ThornConfigurationError(`ThornModule: the option ${name} ${reason}.`, {
    option: name,
  });
}
