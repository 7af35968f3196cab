import type { TableEvents } from '../../capture/index.js';
import { isObject } from '../../common/objects.js';
import { OptionChecks, TIMER } from '../../common/option-checks.js';
import { recipientRules } from '../../delivery/index.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { checkBulkSettings } from '../../event/index.js';
import type { RecipientRules } from '../../message/index.js';
import type { ThornModuleOptions } from './module-options.js';

/** The checks of the options of the module. */
export const MODULE_CHECKS = new OptionChecks('ThornModule.forRoot()');

const ASYNC_CHECKS = new OptionChecks('ThornModule.forRootAsync()');
const ASYNC_NAMES = [
  'useFactory',
  'useClass',
  'useExisting',
  'inject',
  'provideInjectionTokensFrom',
];

type Names<Options> = readonly (keyof Options & string)[];

/** Every option, with the names that it may hold if it is an object of settings that nothing else checks. */
const KNOWN: Readonly<{
  [Name in keyof Required<ThornModuleOptions>]: Names<
    Exclude<ThornModuleOptions[Name], string | undefined>
  > | null;
}> = {
  baseUrl: null,
  timeout: null,
  userAgent: null,
  recipients: null,
  retries: ['schedule', 'jitter', 'retryAfterCap'],
  keepAttempts: null,
  answerHeaders: ['names', 'of'],
  egressProxy: null,
  http: ['connections', 'maxAnswerBytes', 'maxHeaderBytes', 'keepAliveTimeout', 'lookup', 'tls'],
  envelope: null,
  codecs: null,
  formats: null,
  shapes: ['templates', 'url'],
  subscribers: null,
  makeTriggers: null,
  events: null,
  tables: null,
  eventTypes: null,
  strictEvents: null,
  keep: null,
  orderInBody: null,
  signing: ['ed25519', 'hookHmac'],
  unsubscribe: ['url', 'secret'],
  encryption: ['keys'],
  health: ['disableAfter', 'minMessages'],
  expiredDays: null,
  notify: null,
  maxStaleness: null,
  capture: null,
  bulk: null,
  bulkLimit: null,
  bulkOverflow: null,
  serializeTransactions: null,
  transactions: null,
  selfCheck: null,
};

/** The module's options once they are checked. */
export type CheckedOptions = Omit<ThornModuleOptions, 'recipients'> & {
  readonly recipients?: RecipientRules;
};

/**
 * The module's options, with their names checked. Their values are checked by the class that uses them, or here when
 * there is none.
 */
export class ThornSettings {
  readonly options: CheckedOptions;

  /** @param extraNames options that have to be known earlier, so that a factory gives them in vain */
  constructor(options: ThornModuleOptions, extraNames: readonly string[]) {
    checkIsOptions(options);
    checkNames(options, extraNames);
    checkValues(options);
    this.options = withRecipientRules(options);
  }
}

/** @throws {@link ThornConfigurationError} for options that are not an object */
export function checkIsOptions(options: unknown): void {
  if (isObject(options)) return;
  throw new ThornConfigurationError(
    'THORN_OPTION_INVALID',
    'ThornModule: the options must be an object, given to forRoot() or answered by the factory of forRootAsync().',
  );
}

/** @param extraNames options that are given beside the factory */
export function checkIsAsync(options: unknown, extraNames: readonly string[]): void {
  const given = isObject(options) ? options : {};
  const { useFactory, useClass, useExisting } = given;
  if (typeof useFactory === 'function' || useClass !== undefined || useExisting !== undefined) {
    ASYNC_CHECKS.none(
      Object.keys(KNOWN).filter((name) => Object.hasOwn(given, name)),
      'must be returned by useFactory, not passed next to it',
    );
    ASYNC_CHECKS.names(given, [...ASYNC_NAMES, ...extraNames]);
    return;
  }
  throw new ThornConfigurationError(
    'THORN_OPTION_INVALID',
    'ThornModule: forRootAsync() needs useFactory, a function that answers the options; or useClass or useExisting, a ' +
      'class with a method create() that does.',
  );
}

function withRecipientRules({ recipients, ...rest }: ThornModuleOptions): CheckedOptions {
  MODULE_CHECKS.assert(
    'recipients',
    typeof recipients !== 'string' || recipients === 'development',
    "must be 'development' or an object of rules",
  );
  MODULE_CHECKS.assert(
    'recipients',
    recipients !== 'development' || process.env['NODE_ENV'] !== 'production',
    "is 'development', which lets webhooks reach this machine and private networks, but NODE_ENV is production: " +
      'leave the option out, or name the networks in recipients.allowCidrs',
  );
  const rules = recipientRules(recipients);
  return rules === undefined ? rest : { ...rest, recipients: rules };
}

function checkNames(options: ThornModuleOptions, extraNames: readonly string[]): void {
  MODULE_CHECKS.none(
    extraNames.filter((name) => Object.hasOwn(options, name)),
    'must be passed next to useFactory, not returned by it: the module is built before the factory runs',
  );
  MODULE_CHECKS.names(options, [...Object.keys(KNOWN), ...extraNames]);
  for (const [name, known] of Object.entries(KNOWN)) {
    if (known !== null) {
      MODULE_CHECKS.object(name, options[name as keyof ThornModuleOptions], known);
    }
  }
}

function checkValues({ baseUrl, envelope, subscribers, ...options }: ThornModuleOptions): void {
  const check = MODULE_CHECKS;
  check.assert(
    'baseUrl',
    baseUrl === undefined || isHttpUrl(baseUrl),
    "must be an absolute http or https URL, for example 'https://api.example.com'",
  );
  check.assert(
    'envelope',
    [undefined, 'standard', 'thorn'].includes(envelope as string) || typeof envelope === 'function',
    "must be 'standard', 'thorn' or a function that makes the body",
  );
  check.boolean('signing.hookHmac', options.signing?.hookHmac);
  checkBulkSettings(check, options);
  check.integer('maxStaleness', options.maxStaleness, { min: 0, unit: 'milliseconds' });
  checkTables(options.tables);
  check.boolean('makeTriggers', options.makeTriggers);
  check.assert(
    'makeTriggers',
    options.makeTriggers !== true || process.env['NODE_ENV'] !== 'production',
    'makes nothing where NODE_ENV is production: run the SQL that `npx thorn triggers` prints as a migration, before the application starts',
  );
  check.boolean('strictEvents', options.strictEvents);
  check.boolean('keep', options.keep);
  check.boolean('orderInBody', options.orderInBody);
  check.oneOf('transactions', options.transactions, ['optional', 'required']);
  check.boolean('selfCheck', options.selfCheck);
  check.assert(
    'subscribers',
    subscribers === undefined || isObject(subscribers),
    "must be an object of subscribers by pattern, for example { 'order.*': 'https://example.com/hooks' }",
  );
  check.object('http.tls', options.http?.tls, ['ca']);
  check.function('http.lookup', options.http?.lookup, 'as dns.lookup is');
  checkSerialization(options.serializeTransactions);
}

function checkTables(tables: unknown = []): void {
  const isDeclared = (one: unknown) => isObject(one) && typeof one['declaration'] === 'string';
  MODULE_CHECKS.assert(
    'tables',
    Array.isArray(tables) && tables.every(isDeclared),
    'must be a list of what defineTableEvents() returns',
  );
  const names = (tables as readonly TableEvents[]).map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  MODULE_CHECKS.assert(
    'tables',
    twice === undefined,
    `has two declarations of ${String(twice)}: put the events of both into one defineTableEvents('${String(twice)}', …)`,
  );
}

function checkSerialization(value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  const name = 'serializeTransactions';
  const rule = 'must be true, false or { timeout } in milliseconds';
  MODULE_CHECKS.assert(name, isObject(value), rule);
  MODULE_CHECKS.object(name, value, ['timeout']);
  const { timeout } = value as { readonly timeout?: number };
  MODULE_CHECKS.assert(name, timeout !== undefined, rule);
  MODULE_CHECKS.within(name).integer('timeout', timeout, TIMER);
}

function isHttpUrl(value: unknown): boolean {
  return (
    typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
  );
}
