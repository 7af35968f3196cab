import { type FactoryProvider, Logger } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { CapturedDataSources, CapturedTransactions } from '../../capture/index.js';
import { constructAs, from, provide } from '../../common/construct.js';
import { PooledStore } from '../../database/pooled-store.js';
import { TypeOrmClient } from '../../database/typeorm-client.js';
import { JoinedTransactions, MessagePipeline, Transactions } from '../../dispatch/index.js';
import { SqlClients } from '../../outbox/index.js';
import type { SqlClientDefinition } from '../../sql/index.js';
import { DataSourceClient } from '../../typeorm/index.js';
import { MODULE_CHECKS, ThornSettings } from '../options/settings.js';
import { unsupportedDrivers } from '../options/supported-versions.js';
import { TransactionHosts } from './transaction-hosts.js';
import { EntityCaptures } from './capture.providers.js';

/** Milliseconds that a statement on the tables of subscribers, links and idempotency keys may take. */
const STATEMENT_WITHIN = 10_000;

/**
 * Provides the databases of the application.
 *
 * @param names of the data sources; none where a client of another kind is given
 */
export function databaseProviders(
  names: readonly string[],
  database: SqlClientDefinition | undefined,
): readonly FactoryProvider[] {
  const ofKind =
    database === undefined
      ? [ofDataSources, capturedTransactions]
      : [ofClient(database), joinedTransactions];
  return [dataSourcesProvider(names), ...ofKind];
}

const capturedTransactions = constructAs(
  Transactions,
  CapturedTransactions,
  from([EntityCaptures], ({ all }) => all),
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
);

const ofDataSources = provide(
  SqlClients,
  from([CapturedDataSources], ({ all }) => {
    const clients = all.map((source) => DataSourceClient.of(source));
    return new SqlClients(clients, clients[0]);
  }),
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
      return new SqlClients([client], new PooledStore(client, STATEMENT_WITHIN));
    },
  };
}

function dataSourcesProvider(names: readonly string[]): FactoryProvider<CapturedDataSources> {
  return {
    provide: CapturedDataSources,
    // The settings first: a wrong option is told before anything that may follow from it.
    inject: [
      ThornSettings,
      ...names.map((name) => ({ token: getDataSourceToken(name), optional: true })),
    ],
    useFactory: (_settings: ThornSettings, ...found: (DataSource | undefined)[]) => {
      const captured = new CapturedDataSources(names, found);
      const types = captured.all.map(({ options }) => options.type);
      for (const text of unsupportedDrivers(types)) new Logger('Thorn').warn(text);
      return captured;
    },
  };
}
