import { ConfigurableModuleBuilder, type DynamicModule, type Provider } from '@nestjs/common';
import { MetadataScanner, ModuleRef } from '@nestjs/core';
import { Clock, SystemClock } from '../common/index.js';
import type { SqlClientDefinition } from '../database/sql-client.js';
import { DatabaseReceivedMessages } from './processing/database-received-messages.js';
import { InMemoryReceivedMessages } from './processing/in-memory-received-messages.js';
import { ProcessingAttempts } from './processing/processing-attempts.js';
import { ReceivedMessages } from './processing/received-messages.js';
import { ReceivedTable } from './processing/received-table.js';
import {
  checkReceiverDatabase,
  deduplicationDurations,
  orderSettings,
  type ThornReceiverModuleExtras,
  type ThornReceiverModuleOptions,
} from './receiver-options.js';
import { ReceiverRouteCheck } from './routes/receiver-route-check.js';
import { createVerifiers } from './create-verifiers.js';
import { WebhookReceiverEvents } from './routes/webhook-receiver-events.js';
import { WebhookReceivers } from './routes/webhook-receivers.js';

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
