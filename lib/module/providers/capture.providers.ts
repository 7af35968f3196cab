import type { FactoryProvider } from '@nestjs/common';
import { EntityMessages } from '../../capture/messages/entity-messages.js';
import { DeclaredEvents } from '../../capture/plan/declared-events.js';
import { PlainTables } from '../../capture/tables/plain-tables.js';
import { ReportedSources } from '../../capture/tables/reported-sources.js';
import { construct, from, provide } from '../../common/construct.js';
import { RecipientPolicies } from '../../delivery/index.js';
import { EntityMessageSource, MessagePipeline } from '../../dispatch/index.js';
import { EventCatalogue } from '../../event/index.js';
import { MessageFactory } from '../../message/index.js';
import { SqlClients } from '../../outbox/index.js';
import { StaticSubscriberSet } from '../../subscriber/index.js';
import { EntityCaptures, EntitySources } from '../../capture/entity-sources.js';
import { MODULE_CHECKS, ThornSettings } from '../options/settings.js';

export const captureProviders: readonly FactoryProvider[] = [
  construct(DeclaredEvents, EventCatalogue, StaticSubscriberSet, RecipientPolicies),
  provide(
    EntityCaptures,
    from(
      [EntitySources, MessageFactory, MessagePipeline, DeclaredEvents, ThornSettings],
      (sources, messageFactory, pipeline, declared, { options }) =>
        sources.capture({ messageFactory, pipeline, declared, options }),
    ),
  ),
  provide(
    ReportedSources,
    from(
      [ThornSettings, SqlClients, MessageFactory, MessagePipeline, DeclaredEvents],
      ({ options: { tables = [] } }, { all: [client] }, messageFactory, pipeline, declared) => {
        if (tables.length === 0) return new ReportedSources([]);
        MODULE_CHECKS.assert(
          'tables',
          client !== undefined,
          'needs a database: give the option database, or name a data source of TypeORM',
        );
        const plain = new PlainTables(tables, new EntityMessages(messageFactory, pipeline));
        declared.addTables(tables);
        return new ReportedSources([{ client: client!, tables: plain }]);
      },
    ),
  ),
  provide(
    EntityMessageSource,
    from([EntityCaptures], ({ messages }) => messages),
  ),
];
