import type { FactoryProvider } from '@nestjs/common';
import { construct, constructAs, from, provide } from '../../common/construct.js';
import {
  CapturedDataSources,
  CapturedEntityMessageSource,
  DeclaredEvents,
  EntityCapture,
  CapturedTouches,
  ChangeTable,
} from '../../capture/index.js';
import { RecipientPolicies } from '../../delivery/index.js';
import { EntityMessageSource, MessagePipeline } from '../../dispatch/index.js';
import { BULK_SETTINGS, type BulkSettings, EventCatalogue } from '../../event/index.js';
import { MessageFactory } from '../../message/index.js';
import { StaticSubscriberSet } from '../../subscriber/index.js';
import { ThornSettings } from '../options/settings.js';

/** The captures of the captured data sources, listening. */
export class EntityCaptures {
  constructor(readonly all: readonly EntityCapture[]) {}
}

const captures = from([EntityCaptures], ({ all }) => all);

/** Provides the services that watch entities, and know the events that decorators declare. */
export const captureProviders: readonly FactoryProvider[] = [
  construct(DeclaredEvents, EventCatalogue, StaticSubscriberSet, RecipientPolicies),
  provide(
    EntityCaptures,
    from(
      [CapturedDataSources, MessageFactory, MessagePipeline, DeclaredEvents, ThornSettings],
      (dataSources, messageFactory, pipeline, declared, { options }) => {
        const all = dataSources.all.map((dataSource) => {
          const capture = new EntityCapture(dataSource, {
            messageFactory,
            pipeline,
            ...bulkSettings(options),
            serializeTransactions: options.serializeTransactions,
            otherReports:
              options.changeFeed && dataSource.options.type === 'postgres'
                ? (of) => new CapturedTouches(new ChangeTable(dataSource), of)
                : undefined,
          });
          capture.attach();
          declared.addEntities(capture.plans);
          return capture;
        });
        return new EntityCaptures(all);
      },
    ),
  ),
  constructAs(EntityMessageSource, CapturedEntityMessageSource, captures),
];

function bulkSettings(options: BulkSettings): BulkSettings {
  const names = Object.keys(BULK_SETTINGS) as (keyof BulkSettings)[];
  return Object.fromEntries(names.map((name) => [name, options[name]])) as BulkSettings;
}
