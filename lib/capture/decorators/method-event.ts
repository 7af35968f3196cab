import { Inject } from '@nestjs/common';
import { errorText, FaultLog } from '../../common/index.js';
import { OptionChecks } from '../../common/option-checks.js';
import { type SendOptions, WebhookDispatcher } from '../../dispatch/index.js';
import { TransactionRequiredError } from '../../database/errors.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { compileCondition } from '../../event/conditions/condition-compile.js';
import type { Condition } from '../../event/conditions/condition.js';
import { compileEventName } from '../../event/event-name.js';
import type { RequestData } from '../../event/index.js';
import { recordMethodEvent } from '../../event/method-events.js';
import {
  MESSAGE_SETTINGS,
  messageSettings,
  type MessageSettings,
  type OrderBy,
  type OrderKey,
  orderSetting,
  type SubscriberSource,
} from '../../message/index.js';
import { checkSettingKinds } from './declaration-checks.js';
import {
  fillSubject,
  fillTemplate,
  valueAtPath,
  givenData,
  withRequestData,
} from '../plan/payload.js';

/** A value, or a function that computes it from the method's result and arguments. */
type FromCall<Outcome, Args, Value> = Value | ((outcome: Outcome, args: Args) => Value);

interface MethodEventSettings<Outcome, Args> extends MessageSettings {
  /** Makes the envelope's `data`: anything but undefined. Default: an empty object. */
  readonly data?: (outcome: Outcome, args: Args) => unknown;
  /** The owner whose subscribers may see the event; see {@link SendOptions.owner}. */
  readonly owner?: (outcome: Outcome, args: Args) => SendOptions['owner'];
  /** The key: a dotted path of the method's result, or a function; see {@link SendOptions.orderBy}. Default: none. */
  readonly orderBy?: OrderBy<string | ((outcome: Outcome, args: Args) => OrderKey)>;
  /** The address of the thing: a template such as `/orders/{id}`, filled from the method's result, or a function. */
  readonly ref?: string | ((outcome: Outcome, args: Args) => string | null);
  /**
   * What the message is about, by which the delivery log finds its deliveries: a template such as `{number}`, filled from
   * the method's result, or a function; see {@link SendOptions.subject}.
   */
  readonly subject?: string | ((outcome: Outcome, args: Args) => SendOptions['subject']);
  /** Extra HTTP headers; never able to replace a system header. */
  readonly headers?: FromCall<Outcome, Args, Readonly<Record<string, string>>>;
  /** Receivers of this event in addition to those who match. */
  readonly subscribers?: SubscriberSource;
  /** Merged into `data`, whose own keys win. Thorn's `request_data`. */
  readonly requestData?: RequestData;
  /**
   * Joins the transaction of the manager that the method was given: sent if it commits. Default: the transaction that the
   * method was called in; with `on: 'error'` none, since the error is likely to roll it back.
   */
  readonly manager?: (args: Args) => SendOptions['manager'] | undefined;
  /**
   * Like `manager`, for the transaction of another client. Null, or a function that returns null: the event is sent at
   * once, even inside a transaction.
   */
  readonly tx?: ((args: Args) => unknown) | null;
  /**
   * True: when sending fails, the method fails, although its own work is done. Default false: the failure is logged,
   * and the method's result or error stays as it was.
   */
  readonly propagateErrors?: boolean;
}

/** Options of `@WebhookEvent` on a method: sent when it has resolved. */
export interface MethodSuccessOptions<Result, Args> extends MethodEventSettings<Result, Args> {
  /** `success`: sent when the method has resolved; `error`: when it has thrown. Default `success`. */
  readonly on?: 'success';
  /** The event is sent only when this condition holds for the method's result. */
  readonly when?: Condition<Result> | ((result: Result, args: Args) => boolean);
}

/** Options of `@WebhookEvent` on a method: sent when it has thrown; the functions are given the error. */
export interface MethodErrorOptions<Args> extends MethodEventSettings<unknown, Args> {
  /** Sent when the method has thrown. */
  readonly on: 'error';
  /** Sent only when this answers true. */
  readonly when?: (error: unknown, args: Args) => boolean;
}

/** Options of `@WebhookEvent` on a method. */
export type MethodEventOptions<Result, Args> =
  MethodSuccessOptions<Result, Args> | MethodErrorOptions<Args>;

type Method = (this: object, ...args: unknown[]) => unknown;
type Options = MethodEventSettings<unknown, readonly unknown[]> & {
  readonly on?: 'success' | 'error';
  readonly when?: Condition<unknown> | ((outcome: unknown, args: readonly unknown[]) => boolean);
};

// Set by Nest's property injection: works for singletons, request scope, subclasses and two applications in one
// process alike, which a dispatcher kept in the decorator's closure would not.
const DISPATCHER = Symbol('nestjs-thorn:dispatcher');
/** The methods below the decorators of this library. */
const DECORATED = new WeakMap<Method, Method>();

const KNOWN_KEYS = [
  ...'on when data owner orderBy ref subject headers subscribers requestData manager tx propagateErrors'.split(
    ' ',
  ),
  ...MESSAGE_SETTINGS,
];

/** Makes `method` send an event; see {@link WebhookEvent}. */
export function decorateMethod(
  name: string,
  options: Options,
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> | undefined,
): void {
  const original = descriptor?.value;
  const declaration = `@WebhookEvent('${name}') on ${target.constructor.name}.${String(method)}`;
  if (typeof target === 'function' || typeof original !== 'function' || descriptor === undefined) {
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${declaration}: only instance methods and entity classes can be decorated`,
      { name },
    );
  }
  const send = compile(name, options, declaration);
  const decorated = DECORATED.get(original) ?? original;
  recordMethodEvent(target, {
    name,
    method: String(method),
    on: options.on ?? 'success',
    namesTransaction: options.tx !== undefined || options.manager !== undefined,
    // The class has the method as it is written until all of its decorators have run.
    isReplacedBelow: Reflect.getOwnPropertyDescriptor(target, method)?.value !== decorated,
    subscribers: options.subscribers,
    recipients: options.recipients,
  });
  if (!Reflect.hasOwnMetadata(DISPATCHER, target)) {
    Inject(WebhookDispatcher)(target, DISPATCHER);
    Reflect.defineMetadata(DISPATCHER, true, target);
  }

  const wrapped = async function (
    this: { [DISPATCHER]?: WebhookDispatcher },
    ...args: unknown[]
  ): Promise<unknown> {
    if (options.on !== 'error') assertTransaction(this[DISPATCHER], options, args, declaration);
    let result: unknown;
    try {
      result = await original.apply(this, args);
    } catch (error) {
      if (options.on === 'error') await send(this[DISPATCHER], error, args);
      throw error;
    }
    if (options.on !== 'error') await send(this[DISPATCHER], result, args);
    return result;
  };
  descriptor.value = dressLike(original, wrapped);
  DECORATED.set(descriptor.value, decorated);
}

/**
 * Gives the dispatcher to an instance whose properties Nest has not injected: one of `useFactory` or `useValue`.
 *
 * @returns false when no method of its class is decorated
 */
export function injectDispatcher(instance: object, dispatcher: WebhookDispatcher): boolean {
  if (!Reflect.hasMetadata(DISPATCHER, instance)) return false;
  const property = { value: dispatcher, configurable: true, writable: true };
  return Reflect.defineProperty(instance, DISPATCHER, property);
}

function compile(name: string, options: Options, declaration: string) {
  const check = new OptionChecks(declaration);
  check.names(options, KNOWN_KEYS);
  check.oneOf('on', options.on, ['success', 'error']);
  for (const key of ['data', 'owner', 'manager', 'tx'] as const) {
    const given = options[key];
    if (key !== 'tx' || given !== null)
      check.function(key, given, 'of the result and the arguments');
  }
  const isOne = options.tx === undefined || options.manager === undefined;
  check.assert('tx', isOne, 'is the same as `manager`: take one');
  checkSettingKinds(declaration, options as Readonly<Record<string, unknown>>);
  const eventName = blaming(declaration, () => compileEventName(name));
  if (options.on === 'error' && eventName.paths.length > 0) {
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${declaration}: a name with fields is filled from the result, and a method that threw has none; name it without fields`,
      { name },
    );
  }
  const orderBy = options.orderBy === undefined ? undefined : orderSetting(options.orderBy);
  check.assert(
    'orderBy',
    typeof orderBy?.key !== 'boolean' &&
      !(options.on === 'error' && typeof orderBy?.key === 'string'),
    options.on === 'error'
      ? 'must be a function: a method that threw has no result'
      : 'must be a path of the result or a function',
  );
  const holds = blaming(declaration, () => compileWhen(options.when));
  const faults = new FaultLog();

  return async (
    dispatcher: WebhookDispatcher | undefined,
    outcome: unknown,
    args: unknown[],
  ): Promise<void> => {
    try {
      if (dispatcher === undefined) {
        throw new ThornConfigurationError(
          'THORN_DISPATCHER_NOT_INJECTED',
          `${declaration}: no WebhookDispatcher was injected; let Nest construct the class, in an application that imports ThornModule`,
          { name },
        );
      }
      if (!holds(outcome, args)) return;
      const tx = transactionOf(options, args);
      const data = options.data && givenData(options.data(outcome, args), 'data', declaration);
      await dispatcher.send(eventName.fill(outcome), withRequestData(data, options.requestData), {
        ...(options.owner === undefined ? {} : { owner: options.owner(outcome, args) }),
        ...(tx === undefined ? {} : { tx }),
        ...(orderBy === undefined
          ? {}
          : { orderBy: { ...orderBy, key: keyOf(orderBy.key, outcome, args) } }),
        ...messageSettings(options),
        ...(options.ref === undefined ? {} : { ref: refOf(options.ref, outcome, args) }),
        ...(options.subject === undefined
          ? {}
          : { subject: subjectOf(options.subject, outcome, args) }),
        headers: valueOf(options.headers, outcome, args) ?? {},
        // The method's caller waits for its own work, not for anybody's endpoint.
        wait: options.propagateErrors === true,
      });
    } catch (error) {
      if (options.propagateErrors === true) throw error;
      // An error that is thrown names its declaration.
      const text = errorText(error).replace(`${declaration}: `, '');
      faults.tell(`${declaration}: not sent: ${text}`, undefined, error);
    }
  };
}

/** Null: the event belongs to no transaction. Undefined: to the transaction of the caller. */
function transactionOf({ tx, manager, on }: Options, args: readonly unknown[]): unknown {
  if (tx === null) return null;
  const given = tx === undefined ? manager?.(args) : tx(args);
  return given === undefined && on === 'error' ? null : given;
}

/** Called before the method runs: once the work of the method is committed, a refused event would be lost. */
function assertTransaction(
  dispatcher: WebhookDispatcher | undefined,
  options: Options,
  args: readonly unknown[],
  declaration: string,
): void {
  if (dispatcher?.lacksTransaction !== true || transactionOf(options, args) !== undefined) return;
  throw new TransactionRequiredError(
    `${declaration}: the method has not run, because it was called outside of every known transaction. Its event would be sent even if the caller's work is rolled back. Call it within a transaction, such as that of @Transactional(), with @WebhookEvent() below that decorator. Otherwise pass the transaction by the option tx, or tx: null to send at once.`,
  );
}

function blaming<Value>(declaration: string, compile: () => Value): Value {
  try {
    return compile();
  } catch (error) {
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${declaration}: ${(error as Error).message}`,
      { declaration },
      error,
    );
  }
}

function compileWhen(
  when: Options['when'],
): (outcome: unknown, args: readonly unknown[]) => boolean {
  if (when === undefined) return () => true;
  if (typeof when === 'function') return when;
  const condition = compileCondition(when);
  return (outcome) => condition.holds(outcome, null);
}

function refOf(
  ref: NonNullable<Options['ref']>,
  outcome: unknown,
  args: readonly unknown[],
): string | null {
  return typeof ref === 'function' ? ref(outcome, args) : fillTemplate(ref, outcome);
}

function subjectOf(
  subject: NonNullable<Options['subject']>,
  outcome: unknown,
  args: readonly unknown[],
): SendOptions['subject'] {
  return typeof subject === 'function' ? subject(outcome, args) : fillSubject(subject, outcome);
}

function keyOf(
  key: string | ((outcome: unknown, args: readonly unknown[]) => OrderKey),
  outcome: unknown,
  args: readonly unknown[],
): OrderKey {
  // The value at the path is checked where the message is made.
  return typeof key === 'function' ? key(outcome, args) : (valueAtPath(outcome, key) as OrderKey);
}

function valueOf<Value>(
  setting: FromCall<unknown, readonly unknown[], Value> | undefined,
  outcome: unknown,
  args: readonly unknown[],
): Value | undefined {
  return typeof setting === 'function'
    ? (setting as (outcome: unknown, args: readonly unknown[]) => Value)(outcome, args)
    : setting;
}

// Decorators below this one (routes, @Cron, @OnEvent) have left their metadata on the original function.
function dressLike(original: Method, wrapped: Method): Method {
  for (const key of Reflect.getOwnMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), wrapped);
  }
  Object.defineProperty(wrapped, 'name', { value: original.name, configurable: true });
  Object.defineProperty(wrapped, 'length', { value: original.length, configurable: true });
  return wrapped;
}
