import type { FactoryProvider } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
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
    hasDataSources
      ? ofDataSources
      : { provide: EntitySources, useFactory: () => new EntitySources() },
    ...(database === undefined
      ? [clientsOfDataSources, capturedTransactions]
      : [ofClient(database), joinedTransactions]),
  ];
}

const ofDataSources: FactoryProvider = {
  provide: EntitySources,
  // The settings first: a wrong option is told before anything that may follow from it.
  inject: [ThornSettings, EntitySourceFinder],
  useFactory: (_settings: ThornSettings, finder: EntitySourceFinder) => finder.find(),
};

const clientsOfDataSources: FactoryProvider = {
  provide: SqlClients,
  inject: [EntitySources],
  useFactory: ({ databases }: EntitySources) =>
    new SqlClients(databases.map(({ client }) => client)),
};

const capturedTransactions: FactoryProvider = {
  provide: Transactions,
  inject: [EntityCaptures, ThornSettings],
  useFactory: ({ transactions }: EntityCaptures, { options }: ThornSettings) => {
    MODULE_CHECKS.assert(
      'transactions',
      transactions !== undefined || options.transactions !== 'required',
      "is 'required', and ThornModule has no database: give the option database, or leave transactions out",
    );
    return transactions ?? new NoTransactions();
  },
};

const joinedTransactions: FactoryProvider = {
  provide: Transactions,
  inject: [SqlClients, MessagePipeline, DiscoveryService, ThornSettings],
  useFactory: (
    { all: [client] }: SqlClients,
    pipeline: MessagePipeline,
    discovery: DiscoveryService,
    { options }: ThornSettings,
  ) => {
    const hosts = new TransactionHosts(discovery);
    // Nothing but the application tells what belongs to a transaction of these clients.
    const isRequired = options.transactions !== 'optional';
    return new JoinedTransactions(client!, pipeline, () => hosts.current(), isRequired);
  },
};

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
