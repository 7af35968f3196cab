import { DataSource, type DataSourceOptions } from 'typeorm';
import { describe, expect, it } from 'vitest';
import {
  CreateThornReceivedMessages1767312060000,
  DatabaseReceivedMessages,
  InMemoryReceivedMessages,
} from '../../lib/receiver/index.js';
import { receivedMessagesConformance } from '../../lib/testing/index.js';
import { freshPostgres } from '../services/database.js';

const runner = { describe, it, expect };

receivedMessagesConformance(
  {
    name: 'InMemoryReceivedMessages',
    makeBench: async () => {
      const store = new InMemoryReceivedMessages();
      return { stores: [store, store], close: async () => undefined };
    },
  },
  runner,
);

receivedMessagesConformance(
  {
    name: 'DatabaseReceivedMessages on SQLite',
    makeBench: () => onDatabase({ type: 'better-sqlite3', database: ':memory:' }),
  },
  runner,
);

receivedMessagesConformance(
  {
    name: 'DatabaseReceivedMessages on PostgreSQL',
    makeBench: async () => {
      const { url, drop } = await freshPostgres();
      return onDatabase({ type: 'postgres', url }, drop);
    },
  },
  runner,
);

async function onDatabase(options: DataSourceOptions, drop = async (): Promise<void> => undefined) {
  const dataSource = new DataSource({
    ...options,
    migrations: [CreateThornReceivedMessages1767312060000],
    migrationsRun: true,
  });
  await dataSource.initialize();
  const stores = [
    new DatabaseReceivedMessages(dataSource),
    new DatabaseReceivedMessages(dataSource),
  ] as const;
  return {
    stores,
    close: async () => {
      await dataSource.destroy();
      await drop();
    },
  };
}
