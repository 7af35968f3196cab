import type { FactoryProvider } from '@nestjs/common';
import {
  CapturedEntityMessageSource,
  DeclaredEvents,
  EntityCapture,
  CapturedTransactions,
  ChangeTable,
} from '../../capture/index.js';
import { RecipientPolicies } from '../../delivery/index.js';
import { EntityMessageSource, MessagePipeline, Transactions } from '../../dispatch/index.js';
import { BULK_SETTINGS, type BulkSettings, EventCatalogue } from '../../event/index.js';
import { MessageFactory } from '../../message/index.js';
import { StaticSubscriberSet } from '../../subscriber/index.js';
import { CapturedDataSources } from './data-source.providers.js';
import { ThornSettings } from '../options/settings.js';

/** The captures of the captured data sources, listening. */
export class EntityCaptures {
  constructor(readonly all: readonly EntityCapture[]) {}
}

/** Provides the services that watch entities, and know the events that decorators declare. */
export const captureProviders: readonly FactoryProvider[] = [
  {
    provide: DeclaredEvents,
    inject: [EventCatalogue, StaticSubscriberSet, RecipientPolicies],
    useFactory: (
      catalogue: EventCatalogue,
      statics: StaticSubscriberSet,
      policies: RecipientPolicies,
    ) => new DeclaredEvents(catalogue, statics, policies),
  },
  {
    provide: EntityCaptures,
    inject: [CapturedDataSources, MessageFactory, MessagePipeline, DeclaredEvents, ThornSettings],
    useFactory: (
      dataSources: CapturedDataSources,
      messageFactory: MessageFactory,
      pipeline: MessagePipeline,
      declared: DeclaredEvents,
      { options }: ThornSettings,
    ) =>
      new EntityCaptures(
        dataSources.all.map((dataSource) => {
          const capture = new EntityCapture(dataSource, {
            messageFactory,
            pipeline,
            ...bulkSettings(options),
            ...(options.changeFeed && dataSource.options.type === 'postgres'
              ? { otherReports: new ChangeTable(dataSource) }
              : {}),
            ...(options.serializeTransactions === undefined
              ? {}
              : { serializeTransactions: options.serializeTransactions }),
          });
          capture.attach();
          declared.addEntities(capture.plans);
          return capture;
        }),
      ),
  },
  {
    provide: Transactions,
    inject: [EntityCaptures],
    useFactory: ({ all }: EntityCaptures) => new CapturedTransactions(all),
  },
  {
    provide: EntityMessageSource,
    inject: [EntityCaptures],
    useFactory: ({ all }: EntityCaptures) => new CapturedEntityMessageSource(all),
  },
];

function bulkSettings(options: BulkSettings): BulkSettings {
  const names = Object.keys(BULK_SETTINGS) as (keyof BulkSettings)[];
  return Object.fromEntries(names.map((name) => [name, options[name]])) as BulkSettings;
}
