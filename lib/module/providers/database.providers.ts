import type { FactoryProvider } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { constructAs, from, provide } from '../../common/construct.js';
import type { SqlClientDefinition } from '../../database/sql-client.js';
import { TypeOrmClient } from '../../database/typeorm-client.js';
import {
  JoinedTransactions,
  MessagePipeline,
  NoTransactions,
  Transactions,
} from '../../dispatch/index.js';
import { SqlClients } from '../../outbox/index.js';
import { EntityCaptures, EntitySourceFinder, EntitySources } from '../../capture/entity-sources.js';
import { MODULE_CHECKS, ThornSettings } from '../options/settings.js';
import { TransactionHosts } from './transaction-hosts.js';

/** @param hasDataSources false where a client of another kind is given */
export function databaseProviders(
  hasDataSources: boolean,
  database: SqlClientDefinition | undefined,
): readonly FactoryProvider[] {
  return [
    // The settings first: a wrong option is told before anything that may follow from it.
    hasDataSources
      ? provide(
          EntitySources,
          from([ThornSettings, EntitySourceFinder], (_settings, finder) => finder.find()),
        )
      : { provide: EntitySources, useFactory: () => new EntitySources() },
    ...(database === undefined
      ? [ofDataSources, capturedTransactions]
      : [ofClient(database), joinedTransactions]),
  ];
}

const capturedTransactions = provide(
  Transactions,
  from([EntityCaptures, ThornSettings], ({ transactions }, { options }) => {
    MODULE_CHECKS.assert(
      'transactions',
      transactions !== undefined || options.transactions !== 'required',
      "is 'required', and ThornModule has no database: give the option database, or leave transactions out",
    );
    return transactions ?? new NoTransactions();
  }),
);

const joinedTransactions = constructAs(
  Transactions,
  JoinedTransactions,
  from([SqlClients], ({ all }) => all[0]!),
  MessagePipeline,
  from([DiscoveryService], (discovery) => {
    const hosts = new TransactionHosts(discovery);
    return () => hosts.current();
  }),
  // Nothing but the application tells what belongs to a transaction of these clients.
  from([ThornSettings], ({ options }) => options.transactions !== 'optional'),
);

const ofDataSources = provide(
  SqlClients,
  from([EntitySources], ({ databases }) => new SqlClients(databases.map(({ client }) => client))),
);

function ofClient({ inject, useFactory }: SqlClientDefinition): FactoryProvider<SqlClients> {
  return {
    provide: SqlClients,
    inject: [ThornSettings, ...inject],
    useFactory: async (_settings: ThornSettings, ...injected: unknown[]) => {
      const client = await useFactory(...injected);
      MODULE_CHECKS.assert(
        'database',
        !(client instanceof TypeOrmClient),
        'is for clients other than TypeORM: leave it out, and name the data source in the option dataSources',
      );
      return new SqlClients([client]);
    },
  };
}
