import { isObject } from '../common/objects.js';
import { dataSourceOf } from '../common/typeorm-compat.js';
import { InvalidInputError } from '../errors/index.js';
import {
  checkMessageId,
  checkMessageSettings,
  MESSAGE_SETTINGS,
  type MessageSettings,
  MAX_CHANGED_LENGTH,
  ORDER_SETTINGS,
  type OrderBy,
  type OrderKey,
  type SubscriberSource,
} from '../message/index.js';

/** TypeORM's `EntityManager`, by its shape: applications without TypeORM do not have its types. */
export interface EntityManagerLike {
  readonly queryRunner?: object;
  getRepository(target: never): object;
}

/** Options of {@link WebhookDispatcher.send}. */
export interface SendOptions<Transaction = unknown> extends MessageSettings {
  /**
   * Id of the message, for sending something once: `outbox()` stores nothing for an id that it keeps already. 1 to 64
   * printable ASCII characters without dots and blanks; never made by users. Default: a new one.
   */
  readonly id?: string;
  /**
   * The owner whose subscribers may see the message. Left out: every subscriber. Null or undefined: those without an owner
   * alone.
   */
  readonly owner?: string | number | bigint | null | undefined;
  /** The URL of the thing, http or https, or relative; becomes the envelope's `ref`. Default: the envelope has none. */
  readonly ref?: string | null;
  /**
   * What the message is about, by which the delivery log finds its deliveries: up to 255 characters; null as left out.
   * Default: the `id` of the data, else the key of `orderBy`, else the `ref`.
   */
  readonly subject?: string | number | bigint | null | undefined;
  /** Extra HTTP headers; never able to replace a system header. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * The names of the fields that have changed, up to 100: the body shows them as `trigger.changed`, and subscribers with
   * `changed` get the message only if one of theirs is among them. Default: not known.
   */
  readonly changed?: readonly string[];
  /**
   * The key that the message is ordered by, see docs/order.md: a text, a number or a bigint, of at most 255 characters.
   * `{ key, private: true }` shows receivers a hash. Default: none.
   */
  readonly orderBy?: OrderBy<OrderKey>;
  /** Receivers of this message alone, in addition to those who match. */
  readonly subscribers?: SubscriberSource;
  /**
   * Joins the transaction that this manager is in: sent if it commits, never if it rolls back. Null: sent at once,
   * whatever transaction the caller is in. Default: the transaction of `dataSource.transaction()` that the caller is in.
   * Those of `startTransaction()` and `save()` are unknown: in a hook of a save, pass `event.manager`.
   */
  readonly manager?: EntityManagerLike | null;
  /**
   * Joins this transaction, as the application's database client gives it to a function: with TypeORM an `EntityManager`,
   * as {@link SendOptions.manager}. Null: as there. Default: the transaction that the caller is in, where that is known.
   */
  readonly tx?: Transaction | null;
  /**
   * False: resolves as soon as the strategy has taken the message over, whatever its deliveries take. Default true.
   */
  readonly wait?: boolean;
}

/** Options of {@link WebhookDispatcher.sendFor}; see {@link SendOptions} for both. */
export type SendForOptions<Transaction = unknown> = Pick<
  SendOptions<Transaction>,
  'manager' | 'tx' | 'wait'
>;

/**
 * The last arguments of a method that sends. Where the type of transactions is named, as in `WebhookDispatcher<PrismaTransaction>`,
 * the property `tx` is needed: a transaction, or null to send at once.
 */
export type SendArguments<Transaction, Options> = unknown extends Transaction
  ? [options?: Options]
  : [options: Options & { readonly tx: Transaction | null }];

const SEND_FOR = ['manager', 'tx', 'wait'] as const;
const OF_MESSAGE = [
  'id',
  'owner',
  'ref',
  'subject',
  'headers',
  'changed',
  'orderBy',
  'subscribers',
  ...MESSAGE_SETTINGS,
] as const;
/** The maximum number of names in {@link SendOptions.changed}. */
const MAX_CHANGED = 100;
// Any: only whether a reference is relative to it matters.
const SOME_BASE = 'https://example.com';

export type SendMethod = 'send()' | 'sendFor()';

/** @throws {@link InvalidInputError} naming the option that is unknown or makes no sense */
export function checkSendOptions(options: SendOptions, method: SendMethod): void {
  checkNames(method, options, [...OF_MESSAGE, ...SEND_FOR]);
  if (isObject(options.orderBy)) checkNames(method, options.orderBy, ORDER_SETTINGS, 'orderBy.');
  checkTransport(options);
  checkMessageSettings(options);
  const { id, ref, owner, changed } = options;
  if (id !== undefined) checkMessageId(id);
  if (ref !== undefined && ref !== null) checkRef(ref);
  if (changed !== undefined) checkChanged(changed);
  if (owner !== undefined && owner !== null && !isId(owner)) {
    throw new InvalidInputError('owner', 'must be the id of an owner: a text or a finite number');
  }
}

/** @throws {@link InvalidInputError} naming the option that is unknown or makes no sense */
export function checkSendForOptions(options: SendForOptions): void {
  checkNames('sendFor()', options, SEND_FOR);
  checkTransport(options);
}

function checkNames(method: string, options: unknown, known: readonly string[], path = ''): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidInputError('options', `of ${method} must be an object`);
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new InvalidInputError(
    path + unknown,
    `is not an option of ${method}. Valid options: ${known.join(', ')}`,
  );
}

function checkTransport({ manager, tx, wait }: SendForOptions): void {
  if (manager !== undefined && tx !== undefined) {
    throw new InvalidInputError('tx', 'is the same as manager: pass one of them');
  }
  if (manager !== undefined && manager !== null && !isManager(manager)) {
    throw new InvalidInputError('manager', "must be one of TypeORM's EntityManagers, or null");
  }
  if (wait !== undefined && typeof wait !== 'boolean') {
    throw new InvalidInputError('wait', 'must be true or false');
  }
}

// By its shape, since an application may have a second copy of TypeORM.
function isManager(value: unknown): boolean {
  const dataSource = dataSourceOf((value ?? {}) as { readonly dataSource: unknown });
  return typeof dataSource === 'object' && dataSource !== null;
}

function isId(value: unknown): boolean {
  return typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value === 'string' || typeof value === 'bigint';
}

function checkChanged(changed: unknown): void {
  const isName = (name: unknown) =>
    typeof name === 'string' && name !== '' && name.length <= MAX_CHANGED_LENGTH;
  if (Array.isArray(changed) && changed.length <= MAX_CHANGED && changed.every(isName)) return;
  throw new InvalidInputError(
    'changed',
    `must be a list of up to ${MAX_CHANGED} names of fields, each of 1 to ${MAX_CHANGED_LENGTH} characters`,
  );
}

// Parsed as a browser does, because an application may render the text as a link: blanks and line breaks cannot hide a
// scheme.
function checkRef(ref: unknown): void {
  if (typeof ref !== 'string') throw new InvalidInputError('ref', 'must be a text or null');
  if (!URL.canParse(ref, SOME_BASE) || !/^https?:$/.test(new URL(ref, SOME_BASE).protocol)) {
    throw new InvalidInputError('ref', 'must be an http or https URL, or relative to one');
  }
}
