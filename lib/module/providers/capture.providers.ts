import type { Provider } from '@nestjs/common';
import { EntityMessages } from '../../capture/messages/entity-messages.js';
import type { SqlClient } from '../../database/sql-client.js';
import { DeclaredEvents } from '../../capture/plan/declared-events.js';
import { PlainTables } from '../../capture/tables/plain-tables.js';
import { JointTables, ReportedSources } from '../../capture/tables/reported-tables.js';
import type { ReportedSource, ReportedTables, TableEvents } from '../../capture/index.js';
import { EntityMessageSource, MessagePipeline } from '../../dispatch/index.js';
import { MessageFactory } from '../../message/index.js';
import { SqlClients } from '../../outbox/index.js';
import { EntityCaptures, EntitySources } from '../../capture/entity-sources.js';
import { MODULE_CHECKS, ThornSettings } from '../options/settings.js';

export const captureProviders: readonly Provider[] = [
  DeclaredEvents,
  {
    provide: EntityCaptures,
    inject: [EntitySources, MessageFactory, MessagePipeline, DeclaredEvents, ThornSettings],
    useFactory: (
      sources: EntitySources,
      messageFactory: MessageFactory,
      pipeline: MessagePipeline,
      declared: DeclaredEvents,
      { options }: ThornSettings,
    ) => sources.capture({ messageFactory, pipeline, declared, options }),
  },
  {
    provide: ReportedSources,
    inject: [
      ThornSettings,
      SqlClients,
      EntityCaptures,
      MessageFactory,
      MessagePipeline,
      DeclaredEvents,
    ],
    useFactory: reportedSources,
  },
  {
    provide: EntityMessageSource,
    inject: [EntityCaptures],
    useFactory: ({ messages }: EntityCaptures) => messages,
  },
];

function reportedSources(
  { options: { tables = [] } }: ThornSettings,
  { all: [client] }: SqlClients,
  captures: EntityCaptures,
  factory: MessageFactory,
  pipeline: MessagePipeline,
  declared: DeclaredEvents,
): ReportedSources {
  const reported = captures.reported();
  if (tables.length === 0) return new ReportedSources(reported);
  checkTables(tables, client, captures);
  declared.addTables(tables);
  const plain = new PlainTables(tables, new EntityMessages(factory, pipeline));
  return new ReportedSources(withTables(reported, client!, plain));
}

function checkTables(
  tables: readonly TableEvents[],
  client: SqlClient<never> | undefined,
  captures: EntityCaptures,
): void {
  MODULE_CHECKS.assert(
    'tables',
    client !== undefined,
    'needs a database: give the option database, or name a data source of TypeORM',
  );
  for (const { name, declaration, dialect } of tables) {
    MODULE_CHECKS.assert(
      'tables',
      dialect === undefined || dialect === client!.dialect.name,
      `has ${declaration} of a table for ${dialect}, and the database of ${client!.name} is ${client!.dialect.name}: name a table of that database`,
    );
    const entity = captures.entityOf(name);
    MODULE_CHECKS.assert(
      'tables',
      entity === undefined,
      `has ${declaration}, and the entity ${entity} of that table has events as well, so that changes would send both. ` +
        "Declare all of them on the entity, with @Webhooks({ capture: 'triggers' }) where others write the table",
    );
  }
}

/** Entities and tables of one database are one source. */
function withTables(
  reported: readonly ReportedSource[],
  client: SqlClient<never>,
  plain: ReportedTables,
): readonly ReportedSource[] {
  const own = reported.find((source) => source.client === client);
  const tables = own === undefined ? plain : new JointTables([own.tables, plain]);
  return [...reported.filter((source) => source !== own), { client, tables }];
}
