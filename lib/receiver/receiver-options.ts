import type { DynamicModule, Type } from '@nestjs/common';
import type { Clock } from '../common/index.js';
import { isObject } from '../common/objects.js';
import { OptionChecks } from '../common/option-checks.js';
import type { Digest } from '../message/index.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import type { ClaimDurations, OrderSettings } from './processing/processing-attempts.js';
import { DEFAULT_RETENTION, type ReceivedMessages } from './processing/received-messages.js';
import type { SchemeName } from './schemes/scheme-by-name.js';
import type { WebhookScheme } from './schemes/webhook-scheme.js';

/** A sender of webhooks, and how to verify its requests. */
export interface ReceiverOptions {
  /** The sender's way to sign: a name, or a class that extends {@link WebhookScheme}, created by Nest, or an instance. */
  readonly scheme: SchemeName | WebhookScheme | Type<WebhookScheme>;
  /** A signature by any one of them is enough. Give the old and the new secret while the sender rotates. */
  readonly secrets: readonly string[];
  /** The digest of `Hook-HMAC`, for the scheme `thorn` alone. Default `sha256`. */
  readonly digest?: Digest;
  /** Largest difference between the timestamp and now, in both directions, in milliseconds. Default five minutes. */
  readonly tolerance?: number;
}

/** Options for recognising repeated messages. */
export interface DeduplicationOptions {
  /** How long a processed message is remembered, in milliseconds. Default seven days. */
  readonly retention?: number;
  /**
   * How long a handler keeps its message from other attempts, in milliseconds, even after its process has died. It must
   * be longer than the slowest handler takes. Default five minutes.
   */
  readonly lease?: number;
}

/** Options for the order of messages. */
export interface InOrderOptions {
  /**
   * How to treat a message that comes after a later message of its key was processed. `drop`: its handler does not run,
   * and the sender gets a success. `report`: its handler runs. Both emit the event `older`. Default `drop`.
   */
  readonly older?: 'drop' | 'report';
  /**
   * How long the latest number of a key is remembered, in milliseconds after its latest message. Default seven days.
   */
  readonly retention?: number;
  /** How long a handler keeps its key from other messages, in milliseconds. Default five minutes. */
  readonly lease?: number;
}

/** Options of `ThornReceiverModule.forRoot()`, and the result of the factory of `forRootAsync()`. */
export interface ThornReceiverModuleOptions {
  /** The senders, by the name that `@WebhookReceiver(name)` takes. */
  readonly receivers: Readonly<Record<string, ReceiverOptions>>;
  /**
   * Remembers which messages were processed. Default: a table in the database of the option `database`; without that
   * option `InMemoryReceivedMessages`. A class is created by Nest, and may inject providers of `imports`.
   */
  readonly store?: ReceivedMessages | Type<ReceivedMessages>;
  /** Lets each message reach its handler once. Default: it does. `false`: every verified webhook reaches its handler. */
  readonly deduplication?: DeduplicationOptions | false;
  /**
   * Handles the messages of one key one at a time, and drops or reports messages that come after a later one was
   * processed; see docs/order.md. Default false.
   */
  readonly processInOrder?: InOrderOptions | boolean;
}

/** Structure that must be known before any factory runs: given beside `useFactory` in `forRootAsync()`. */
export interface ThornReceiverModuleExtras {
  /**
   * The application's database client, for `store` and `processOnce()`: what `fromPrisma()`, `fromDrizzle()`, `fromPg()` or
   * `fromTypeOrm()` of `nestjs-thorn/sql` returns. Needs the table `thorn_received_messages`. Default: none; `processOnce()`
   * works with TypeORM alone then.
   */
  database?: SqlClientDefinition;
  /** Modules whose providers the classes given as `scheme` and `store` may inject. */
  imports?: DynamicModule['imports'];
  /** The source of the time. Default: the clock of the system. */
  clock?: Type<Clock>;
  /** True: controllers of every module can use the receivers. Default true. */
  global?: boolean;
}

const DEFAULT_LEASE = 5 * 60_000;
const OPTIONS = ['receivers', 'store', 'deduplication', 'processInOrder'];
const EXTRAS = ['database', 'imports', 'clock', 'global'];
const CHECK = new OptionChecks('ThornReceiverModule.forRoot()');

/** @throws {@link ThornConfigurationError} naming the option and its fix; the values of single receivers are checked later */
export function checkReceiverOptions(options: ThornReceiverModuleOptions): void {
  for (const name of EXTRAS) {
    CHECK.assert(
      name,
      !Object.hasOwn(options, name),
      'must be given beside useFactory, because it is needed before the factory runs',
    );
  }
  CHECK.names(options, [...OPTIONS, ...EXTRAS]);
  const { receivers, deduplication } = options;
  CHECK.assert(
    'receivers',
    isObject(receivers) && Object.keys(receivers).length > 0,
    "must name at least one sender, for example { store: { scheme: 'standard', secrets } }",
  );
  for (const [name, receiver] of Object.entries(receivers)) {
    receiverChecks().object(name, receiver, ['scheme', 'secrets', 'digest', 'tolerance']);
  }
  if (deduplication !== false) {
    CHECK.object('deduplication', deduplication, ['retention', 'lease']);
  }
  deduplicationDurations(options);
  const { processInOrder } = options;
  if (typeof processInOrder !== 'boolean') {
    CHECK.object('processInOrder', processInOrder, ['older', 'retention', 'lease']);
  }
  orderSettings(options);
}

export function orderSettings({
  processInOrder = false,
}: ThornReceiverModuleOptions): OrderSettings | null {
  if (processInOrder === false) return null;
  const given = processInOrder === true ? {} : processInOrder;
  const check = CHECK.within('processInOrder');
  const { older = 'drop' } = given;
  check.oneOf('older', older, ['drop', 'report']);
  return { older, ...durationsOf(check, given) };
}

export function deduplicationDurations({
  deduplication,
}: ThornReceiverModuleOptions): ClaimDurations {
  return durationsOf(CHECK.within('deduplication'), deduplication || {});
}

function durationsOf(
  check: OptionChecks,
  { retention = DEFAULT_RETENTION, lease = DEFAULT_LEASE }: DeduplicationOptions,
): ClaimDurations {
  check.integer('retention', retention, { unit: 'milliseconds' });
  check.integer('lease', lease, { unit: 'milliseconds' });
  return { retention, lease };
}

export function receiverChecks(name?: string): OptionChecks {
  const receivers = CHECK.within('receivers');
  return name === undefined ? receivers : receivers.within(name);
}

/** @throws {@link ThornConfigurationError} when the value is not a client */
export function checkReceiverDatabase(database: unknown): void {
  if (database === undefined) return;
  const { inject, useFactory } = (database ?? {}) as Partial<SqlClientDefinition>;
  CHECK.assert(
    'database',
    Array.isArray(inject) && typeof useFactory === 'function',
    "must be the result of fromPrisma(), fromDrizzle(), fromPg() or fromTypeOrm() of 'nestjs-thorn/sql'",
  );
}
