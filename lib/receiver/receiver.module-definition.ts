import { ConfigurableModuleBuilder, type DynamicModule, type Provider } from '@nestjs/common';
import { MetadataScanner, ModuleRef } from '@nestjs/core';
import { Clock, SystemClock } from '../common/index.js';
import { InMemoryReceivedMessages } from './deduplication/in-memory-received-messages.js';
import { MessageDeduplicator } from './deduplication/message-deduplicator.js';
import { ReceivedMessages } from './deduplication/received-messages.js';
import { InMemoryProcessedSequences } from './order/in-memory-processed-sequences.js';
import { OrderCheck } from './order/order-check.js';
import { ProcessedSequences } from './order/processed-sequences.js';
import {
  deduplicationTimes,
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
      { imports: undefined, clock: undefined, global: undefined } as never,
      (definition, extras) => assemble(definition, extras),
    )
    .build();

function assemble(definition: DynamicModule, extras: ThornReceiverModuleExtras): DynamicModule {
  return {
    ...definition,
    global: extras.global ?? true,
    imports: [...(definition.imports ?? []), ...(extras.imports ?? [])],
    providers: [...(definition.providers ?? []), ...providers(extras)],
    exports: [
      WebhookReceivers,
      WebhookReceiverEvents,
      ReceivedMessages,
      MessageDeduplicator,
      ProcessedSequences,
      OrderCheck,
    ],
  };
}

function providers({ clock = SystemClock }: ThornReceiverModuleExtras): Provider[] {
  return [
    MetadataScanner,
    ReceiverRouteCheck,
    WebhookReceiverEvents,
    { provide: Clock, useClass: clock },
    {
      provide: WebhookReceivers,
      inject: [MODULE_OPTIONS_TOKEN, ModuleRef, WebhookReceiverEvents, Clock],
      useFactory: async (
        options: ThornReceiverModuleOptions,
        moduleRef: ModuleRef,
        events: WebhookReceiverEvents,
        time: Clock,
      ) => new WebhookReceivers(await createVerifiers(options, moduleRef), events, time),
    },
    {
      provide: ReceivedMessages,
      inject: [MODULE_OPTIONS_TOKEN, ModuleRef],
      useFactory: ({ deduplication }: ThornReceiverModuleOptions, moduleRef: ModuleRef) => {
        const { store } = deduplication || {};
        if (store === undefined) return new InMemoryReceivedMessages();
        return typeof store === 'function' ? moduleRef.create(store) : store;
      },
    },
    {
      provide: MessageDeduplicator,
      inject: [MODULE_OPTIONS_TOKEN, ReceivedMessages, Clock],
      useFactory: (options: ThornReceiverModuleOptions, store: ReceivedMessages, time: Clock) =>
        new MessageDeduplicator(
          options.deduplication === false ? null : store,
          deduplicationTimes(options),
          time,
        ),
    },
    {
      provide: ProcessedSequences,
      inject: [MODULE_OPTIONS_TOKEN, ModuleRef],
      useFactory: ({ processInOrder }: ThornReceiverModuleOptions, moduleRef: ModuleRef) => {
        const { store } = typeof processInOrder === 'object' ? processInOrder : {};
        if (store === undefined) return new InMemoryProcessedSequences();
        return typeof store === 'function' ? moduleRef.create(store) : store;
      },
    },
    {
      provide: OrderCheck,
      inject: [MODULE_OPTIONS_TOKEN, ProcessedSequences, Clock],
      useFactory: (options: ThornReceiverModuleOptions, store: ProcessedSequences, time: Clock) =>
        new OrderCheck(store, orderSettings(options), time),
    },
  ];
}

export { ConfigurableModuleClass };
