import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  type Provider,
  Logger,
} from '@nestjs/common';
import { MetadataScanner, ModuleRef } from '@nestjs/core';
import { Clock, SystemClock } from '../common/index.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import { DatabaseReceivedMessages, ReceivedTable } from './processing/received-table.js';
import { InMemoryReceivedMessages } from './processing/in-memory-received-messages.js';
import { ProcessingAttempts } from './processing/processing-attempts.js';
import { ReceivedMessages } from './processing/received-messages.js';
import {
  checkReceiverDatabase,
  deduplicationDurations,
  orderSettings,
  type ThornReceiverModuleExtras,
  type ThornReceiverModuleOptions,
  checkReceiverOptions,
  receiverChecks,
  type ReceiverOptions,
} from './receiver-options.js';
import { ReceiverRouteCheck } from './routes/receiver-route-check.js';
import { WebhookReceiverEvents } from './routes/webhook-receiver-events.js';
import { WebhookReceivers } from './routes/webhook-receivers.js';
import { InvalidInputError } from '../errors/index.js';
import { WebhookVerifier } from './routes/webhook-verifier.js';

/** Built by Nest: `forRoot` and `forRootAsync` share their options; structure is given as extras. */
const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<ThornReceiverModuleOptions>({ moduleName: 'ThornReceiver' })
    .setClassMethodName('forRoot')
    .setExtras<ThornReceiverModuleExtras>(
      { database: undefined, imports: undefined, clock: undefined, global: undefined } as never,
      (definition, extras) => assemble(definition, extras),
    )
    .build();

function assemble(definition: DynamicModule, extras: ThornReceiverModuleExtras): DynamicModule {
  return {
    ...definition,
    global: extras.global ?? true,
    imports: [...(definition.imports ?? []), ...(extras.imports ?? [])],
    providers: [...(definition.providers ?? []), ...providers(extras)],
    exports: [WebhookReceivers, WebhookReceiverEvents, ReceivedMessages, ProcessingAttempts],
  };
}

function providers({ clock = SystemClock, database }: ThornReceiverModuleExtras): Provider[] {
  checkReceiverDatabase(database);
  return [
    MetadataScanner,
    ReceiverRouteCheck,
    WebhookReceiverEvents,
    { provide: Clock, useClass: clock },
    tableProvider(database),
    {
      provide: WebhookReceivers,
      inject: [MODULE_OPTIONS_TOKEN, ModuleRef, WebhookReceiverEvents, Clock, ReceivedTable],
      useFactory: async (
        options: ThornReceiverModuleOptions,
        moduleRef: ModuleRef,
        events: WebhookReceiverEvents,
        time: Clock,
        table: ReceivedTable | undefined,
      ) => new WebhookReceivers(await createVerifiers(options, moduleRef, table), events, time),
    },
    {
      provide: ReceivedMessages,
      inject: [MODULE_OPTIONS_TOKEN, ModuleRef, ReceivedTable],
      useFactory: (
        { store }: ThornReceiverModuleOptions,
        moduleRef: ModuleRef,
        table: ReceivedTable | undefined,
      ) => {
        if (store !== undefined)
          return typeof store === 'function' ? moduleRef.create(store) : store;
        return table === undefined
          ? new InMemoryReceivedMessages()
          : new DatabaseReceivedMessages(table);
      },
    },
    {
      provide: ProcessingAttempts,
      inject: [MODULE_OPTIONS_TOKEN, ReceivedMessages, Clock],
      useFactory: (options: ThornReceiverModuleOptions, store: ReceivedMessages, time: Clock) =>
        new ProcessingAttempts(
          store,
          options.deduplication === false ? null : deduplicationDurations(options),
          orderSettings(options),
          time,
        ),
    },
  ];
}

function tableProvider({ inject, useFactory }: Partial<SqlClientDefinition> = {}): Provider {
  return {
    provide: ReceivedTable,
    inject: inject ?? [],
    useFactory: async (...injected: unknown[]) =>
      useFactory && new ReceivedTable(await useFactory(...injected)),
  };
}

export { ConfigurableModuleClass };

const logger = new Logger('ThornReceiver');

async function createVerifiers(
  options: ThornReceiverModuleOptions,
  moduleRef: ModuleRef,
  table: ReceivedTable | undefined,
): Promise<ReadonlyMap<string, WebhookVerifier>> {
  checkReceiverOptions(options);
  const { retention } = deduplicationDurations(options);
  const verifiers = new Map<string, WebhookVerifier>();
  for (const [name, receiver] of Object.entries(options.receivers)) {
    const verifier = await createVerifier(name, { ...receiver, retention }, moduleRef, table);
    for (const warning of verifier.warnings) logger.warn(`receivers.${name}.${warning}`);
    verifiers.set(name, verifier);
  }
  return verifiers;
}

async function createVerifier(
  name: string,
  { scheme: given, ...receiver }: ReceiverOptions & { readonly retention: number },
  moduleRef: ModuleRef,
  table: ReceivedTable | undefined,
): Promise<WebhookVerifier> {
  const scheme = typeof given === 'function' ? await moduleRef.create(given) : given;
  // The plain function has a default; here a forgotten scheme would verify by another one than was meant.
  const check = receiverChecks(name);
  if (scheme === undefined) throw check.error('scheme', 'is missing');
  try {
    return new WebhookVerifier({ ...receiver, scheme, receiver: name }, table);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw check.error(error.field, error.reason);
  }
}
