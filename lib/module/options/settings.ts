import {
  checkRecipientRules,
  parseEgressProxy,
  recipientRules,
  StandardDeliveryLog,
} from '../../delivery/index.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { bulkFault } from '../../event/index.js';
import type { RecipientRules } from '../../message/index.js';
import { healthRules } from '../../subscriber/index.js';
import type { ThornModuleOptions } from './module-options.js';

type Names<Options> = readonly (keyof Options & string)[];

/** Every option, with the names that it may hold if it is an object of settings. */
const KNOWN: Readonly<{
  [Name in keyof Required<ThornModuleOptions>]: Names<
    Exclude<ThornModuleOptions[Name], string | undefined>
  > | null;
}> = {
  baseUrl: null,
  timeout: null,
  userAgent: null,
  recipients: ['requireHttps', 'allowedPorts', 'allowCidrs', 'denyCidrs'],
  retries: ['schedule', 'jitter', 'retryAfterCap'],
  keepAttempts: null,
  egressProxy: null,
  http: ['connections', 'maxAnswerBytes', 'maxHeaderBytes', 'keepAliveTimeout', 'lookup', 'tls'],
  envelope: null,
  codecs: null,
  subscribers: null,
  events: null,
  eventTypes: null,
  strictEvents: null,
  signing: ['ed25519', 'hookHmac'],
  unsubscribe: ['url', 'secret'],
  encryption: ['keys'],
  health: ['disableAfter', 'minMessages'],
  maxStaleness: null,
  bulk: null,
  bulkLimit: null,
  bulkOverflow: null,
  cascades: null,
  serializeTransactions: null,
  changeFeed: null,
};

/** The module's options once they are checked. */
export type CheckedOptions = Omit<ThornModuleOptions, 'recipients'> & {
  readonly recipients?: RecipientRules;
};

/** The module's options, checked once at start-up; what the wiring injects. */
export class ThornSettings {
  readonly options: CheckedOptions;

  /**
   * @param extraNames options that have to be known earlier, so that a factory gives them in vain
   * @throws {@link ThornConfigurationError} naming the option and its fix
   */
  constructor(options: ThornModuleOptions, extraNames: readonly string[]) {
    checkIsOptions(options);
    const withRules = withRecipientRules(options);
    checkNames(withRules, extraNames);
    checkValues(withRules);
    this.options = withRules;
  }
}

/** @throws {@link ThornConfigurationError} for options that are not an object */
export function checkIsOptions(options: unknown): void {
  if (isObject(options)) return;
  throw new ThornConfigurationError(
    'ThornModule: the options must be an object, given to forRoot() or answered by the factory of forRootAsync().',
  );
}

/** @throws {@link ThornConfigurationError} when nothing says where the options come from */
export function checkIsAsync(options: unknown): void {
  const { useFactory, useClass, useExisting } = (options ?? {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof useFactory === 'function' || useClass !== undefined || useExisting !== undefined)
    return;
  throw new ThornConfigurationError(
    'ThornModule: forRootAsync() needs useFactory, a function that answers the options; or useClass or useExisting, a ' +
      'class with a method create() that does.',
  );
}

/** The error of a wrong option. */
export function wrongOption(name: string, reason: string): ThornConfigurationError {
  return new ThornConfigurationError(`ThornModule: the option ${name} ${reason}.`, {
    option: name,
  });
}

function withRecipientRules(options: ThornModuleOptions): CheckedOptions {
  const { recipients, ...rest } = options;
  if (typeof recipients === 'string' && recipients !== 'development') {
    throw wrongOption('recipients', "must be 'development' or an object of rules");
  }
  const rules = recipientRules(recipients);
  if (recipients === 'development' && process.env['NODE_ENV'] === 'production') {
    throw wrongOption(
      'recipients',
      "is 'development', which lets webhooks reach this machine and private networks, but NODE_ENV is production: " +
        'leave the option out, or name the networks in recipients.allowCidrs',
    );
  }
  return rules === undefined ? rest : { ...rest, recipients: rules };
}

function checkNames(options: CheckedOptions, extraNames: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (extraNames.includes(name)) {
      throw wrongOption(
        name,
        'must be given beside useFactory, not by it: it is needed before the factory runs',
      );
    }
    if (!Object.hasOwn(KNOWN, name)) {
      throw wrongOption(
        name,
        `is unknown; known are ${[...Object.keys(KNOWN), ...extraNames].join(', ')}`,
      );
    }
    checkNested(name, value, KNOWN[name as keyof ThornModuleOptions]);
  }
  checkNested('http.tls', options.http?.tls, ['ca']);
}

function checkNested(name: string, value: unknown, known: readonly string[] | null): void {
  if (known === null || value === undefined) return;
  if (!isObject(value)) throw wrongOption(name, `must be an object of ${known.join(', ')}`);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw wrongOption(`${name}.${unknown}`, `is unknown; known are ${known.join(', ')}`);
  }
}

function checkValues(options: CheckedOptions): void {
  const { timeout, envelope, signing, maxStaleness, strictEvents, codecs, subscribers } = options;
  checkTexts(options);
  if (timeout !== undefined && !(Number.isInteger(timeout) && timeout > 0)) {
    throw wrongOption('timeout', 'must be a positive whole number of milliseconds');
  }
  if (
    envelope !== undefined &&
    typeof envelope !== 'function' &&
    !['standard', 'thorn'].includes(envelope)
  ) {
    throw wrongOption(
      'envelope',
      "must be 'standard', 'thorn' or a function of the standard envelope",
    );
  }
  if (signing?.hookHmac !== undefined && typeof signing.hookHmac !== 'boolean') {
    throw wrongOption('signing.hookHmac', 'must be true or false');
  }
  const fault = bulkFault(options);
  if (fault !== undefined) throw wrongOption(fault.name, fault.reason);
  checkSerializeTransactions(options.serializeTransactions);
  checkChangeFeed(options.changeFeed);
  if (maxStaleness !== undefined && !(Number.isInteger(maxStaleness) && maxStaleness >= 0)) {
    throw wrongOption('maxStaleness', 'must be a whole number of milliseconds, 0 or more');
  }
  if (strictEvents !== undefined && typeof strictEvents !== 'boolean') {
    throw wrongOption('strictEvents', 'must be true or false');
  }
  if (codecs !== undefined && !isObject(codecs)) {
    throw wrongOption('codecs', 'must be an object of functions by media type');
  }
  if (subscribers !== undefined && !isObject(subscribers)) {
    throw wrongOption(
      'subscribers',
      "must be an object of subscribers by pattern, for example { 'order.*': 'https://example.com/hooks' }",
    );
  }
  if (options.http?.lookup !== undefined && typeof options.http.lookup !== 'function') {
    throw wrongOption('http.lookup', 'must be a function, as dns.lookup is');
  }
  if (options.keepAttempts !== undefined) void new StandardDeliveryLog(options.keepAttempts);
  checkProxy(options);
  checkHealth(options.health);
  // Events lay their own rules over these, whatever policy judges the others.
  checkRecipientRules(options.recipients);
}

function checkSerializeTransactions(value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  checkNested('serializeTransactions', value, ['timeout']);
  const { timeout } = value as { readonly timeout?: unknown };
  if (!(Number.isInteger(timeout) && (timeout as number) > 0)) {
    throw wrongOption(
      'serializeTransactions',
      'must be true, false or { timeout }, a positive whole number of milliseconds',
    );
  }
}

function checkChangeFeed(value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  checkNested('changeFeed', value, ['pollInterval']);
  const { pollInterval } = value as { readonly pollInterval?: unknown };
  if (!(Number.isInteger(pollInterval) && (pollInterval as number) > 0)) {
    throw wrongOption(
      'changeFeed',
      'must be true, false or { pollInterval }, a positive whole number of milliseconds',
    );
  }
}

function checkProxy({ egressProxy, http }: CheckedOptions): void {
  if (egressProxy === undefined) return;
  parseEgressProxy(egressProxy);
  if (http?.lookup !== undefined) {
    throw wrongOption('http.lookup', 'has no use with egressProxy: the proxy looks names up');
  }
}

function checkHealth(health: ThornModuleOptions['health']): void {
  try {
    healthRules(health);
  } catch (error) {
    const { message } = error as Error;
    throw new ThornConfigurationError(`ThornModule: the option health.${message}`, {
      option: 'health',
    });
  }
}

function checkTexts({ baseUrl, userAgent }: ThornModuleOptions): void {
  if (baseUrl !== undefined && !isHttpUrl(baseUrl)) {
    throw wrongOption(
      'baseUrl',
      "must be an absolute http or https URL, for example 'https://api.example.com'",
    );
  }
  if (
    userAgent !== undefined &&
    !(
      typeof userAgent === 'string' &&
      /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/.test(userAgent)
    )
  ) {
    throw wrongOption('userAgent', 'must be up to 256 printable ASCII characters');
  }
}

function isHttpUrl(value: unknown): boolean {
  return (
    typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
