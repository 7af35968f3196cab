import { type Abstract, Scope, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { Clock } from '../../common/index.js';
import {
  DeliveryLog,
  RecipientPolicy,
  RetryPolicy,
  WebhookHttpClient,
} from '../../delivery/index.js';
import { DispatchStrategy } from '../../dispatch/index.js';
import { MessageTracing } from '../../message/index.js';
import { WebhookSigner } from '../../signing/index.js';
import { SubscriberRepository } from '../../subscriber/index.js';
import type { ThornModuleExtras, ThornModuleOptions } from './module-options.js';
import { MODULE_CHECKS, ThornSettings } from './settings.js';

/** Every extra, so that one that is added to the type and forgotten here does not compile. */
const EXTRAS: Readonly<Record<keyof ThornModuleExtras, null>> = {
  dispatch: null,
  database: null,
  api: null,
  operatorApi: null,
  page: null,
  dataSources: null,
  imports: null,
  subscriberRepository: null,
  signer: null,
  recipientPolicy: null,
  retryPolicy: null,
  deliveryLog: null,
  httpClient: null,
  tracing: null,
  clock: null,
  global: null,
};

export const EXTRA_NAMES: readonly string[] = Object.keys(EXTRAS);

/** The defaults of the extras, which tell Nest's builder their names. */
export const NO_EXTRAS = Object.fromEntries(
  EXTRA_NAMES.map((name) => [name, undefined]),
) as ThornModuleExtras;

/** The pluggable classes, and what the library calls of each. */
const PLUGGABLE = {
  clock: { token: Clock, methods: ['now'] },
  subscriberRepository: {
    token: SubscriberRepository,
    methods: ['create', 'findById', 'update', 'changeSecrets', 'delete', 'list', 'match'],
  },
  signer: { token: WebhookSigner, methods: ['sign'] },
  recipientPolicy: { token: RecipientPolicy, methods: ['checkUrl', 'checkAddress'] },
  retryPolicy: { token: RetryPolicy, methods: ['nextAttempt'] },
  deliveryLog: { token: DeliveryLog, methods: ['keeps', 'attemptsOf'] },
  httpClient: { token: WebhookHttpClient, methods: ['post', 'close'] },
  tracing: { token: MessageTracing, methods: ['made', 'stage', 'attempt'] },
} as const;

const STRATEGY_METHODS = ['stage', 'release', 'discard'] as const;

/** @throws {@link ThornConfigurationError} naming the option that is of the wrong kind, and its fix */
export function checkExtras(extras: ThornModuleExtras): void {
  checkDataSources(extras.dataSources);
  checkDatabase(extras);
  checkDispatch(extras.dispatch);
  for (const [name, { token, methods }] of Object.entries(PLUGGABLE)) {
    const given: unknown = extras[name as keyof typeof PLUGGABLE];
    if (given === undefined || isClassOf(given, token, methods)) continue;
    throw MODULE_CHECKS.error(
      name,
      `must be a class that extends ${token.name}; Nest constructs it with its dependencies`,
    );
  }
  const { api, page, imports, global } = extras;
  MODULE_CHECKS.assert(
    'page',
    page === undefined || typeof (page as Partial<typeof page> | null)?.controllers === 'function',
    "must be the result of thornPage() of 'nestjs-thorn/page'",
  );
  MODULE_CHECKS.assert(
    'page',
    page === undefined || api !== undefined,
    'needs the option api, from which it reads everything',
  );
  MODULE_CHECKS.assert(
    'imports',
    imports === undefined || Array.isArray(imports),
    'must be a list of modules',
  );
  MODULE_CHECKS.boolean('global', global);
}

/** Rejects options that only TypeORM serves, where another client is given. */
export function checkTypeOrmOptions(
  options: ThornModuleOptions,
  { database }: ThornModuleExtras,
): void {
  MODULE_CHECKS.assert(
    'serializeTransactions',
    database === undefined || options.serializeTransactions === undefined,
    'is for TypeORM: leave it out, as the option database gives another client',
  );
}

/** Rejects options of default classes that the application replaces by its own. */
export function checkReplaced(
  { egressProxy, http, keepAttempts, retries }: ThornModuleOptions,
  { httpClient, deliveryLog, retryPolicy }: ThornModuleExtras,
): void {
  MODULE_CHECKS.assert(
    'egressProxy',
    egressProxy === undefined || httpClient === undefined,
    `is for the default client: let ${httpClient?.name} use the proxy`,
  );
  // Addresses are looked up when a subscriber is made as well, whatever client makes the requests.
  const unused = Object.keys(http ?? {}).find((name) => name !== 'lookup');
  MODULE_CHECKS.assert(
    `http.${unused}`,
    unused === undefined || httpClient === undefined,
    `is for the default client: leave it out, or read it in ${httpClient?.name}`,
  );
  MODULE_CHECKS.assert(
    'retries',
    retries === undefined || retryPolicy === undefined,
    `is for the default policy: leave it out, ${retryPolicy?.name} decides for itself`,
  );
  MODULE_CHECKS.assert(
    'keepAttempts',
    keepAttempts === undefined || deliveryLog === undefined,
    `is for the default log: ${deliveryLog?.name} decides for itself`,
  );
}

/**
 * Rejects a part that is not a singleton: Nest would construct the module for each request, and call none of its hooks.
 *
 * @throws {@link ThornConfigurationError} naming the option that the part was given by
 */
export function checkScopes(moduleRef: ModuleRef): void {
  const isSingleton = (token: Abstract<unknown>) =>
    moduleRef.introspect(token as Type).scope === Scope.DEFAULT;
  MODULE_CHECKS.assert(
    'inject',
    isSingleton(ThornSettings),
    'names a provider of request scope, but options are made once, at start-up. Inject a singleton',
  );
  const parts = [...Object.entries(PLUGGABLE), ['dispatch', { token: DispatchStrategy }]] as const;
  for (const [name, { token }] of parts) {
    MODULE_CHECKS.assert(
      name,
      isSingleton(token),
      'must be a singleton, but has or injects request scope, or is transient. Remove the scope from its @Injectable() ' +
        'and from what it injects',
    );
  }
}

function checkDataSources(names: unknown): void {
  if (names === undefined) return;
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string' || name === '')) {
    throw MODULE_CHECKS.error('dataSources', "must be a list of names, for example ['default']");
  }
  const repeated: unknown = names.find((name, index) => names.indexOf(name) !== index);
  MODULE_CHECKS.assert(
    'dataSources',
    repeated === undefined,
    `names '${String(repeated)}' twice: its events would be sent twice`,
  );
}

function checkDatabase({ database, dataSources }: ThornModuleExtras): void {
  if (database === undefined) return;
  const { inject, useFactory } = (database ?? {}) as Partial<typeof database>;
  MODULE_CHECKS.assert(
    'database',
    Array.isArray(inject) && typeof useFactory === 'function',
    "must be the result of fromPrisma(), fromDrizzle() or fromPg() of 'nestjs-thorn/sql'",
  );
  MODULE_CHECKS.assert(
    'dataSources',
    dataSources === undefined,
    'is for TypeORM: leave it out, as the option database gives another client; or leave out database to use TypeORM',
  );
}

function checkDispatch(dispatch: unknown): void {
  if (dispatch === undefined || isClassOf(dispatch, DispatchStrategy, STRATEGY_METHODS)) return;
  const { useFactory, inject } = (dispatch ?? {}) as Readonly<Record<string, unknown>>;
  if (
    typeof dispatch === 'object' &&
    typeof useFactory === 'function' &&
    (inject === undefined || Array.isArray(inject))
  ) {
    return;
  }
  throw MODULE_CHECKS.error(
    'dispatch',
    'must be outbox(), relayedOutbox(), inline(), disabled(), bullmq(), microservices() or a class that extends ' +
      'DispatchStrategy',
  );
}

// By its methods as well, since an application may have a second copy of the library. What extends the class has been
// checked by the compiler, and may have its methods as properties.
function isClassOf(value: unknown, token: Abstract<unknown>, methods: readonly string[]): boolean {
  if (typeof value !== 'function' || typeof value.prototype !== 'object') return false;
  const prototype = value.prototype as Readonly<Record<string, unknown>> | null;
  return (
    prototype !== null &&
    (prototype instanceof token ||
      methods.every((method) => typeof prototype[method] === 'function'))
  );
}
