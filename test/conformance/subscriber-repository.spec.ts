import { createClient } from '../../lib/typeorm/sources/typeorm-sources.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Clock } from '../../lib/common/time.js';
import { SecretSealer } from '../../lib/signing/index.js';
import {
  InMemorySubscriberRepository,
  DatabaseSubscriberRepository,
} from '../../lib/subscriber/index.js';
import { type FreshDatabase, freshMariadb, freshPostgres } from '../services/database.js';
import { subscriberRepositoryConformance } from '../../lib/testing/index.js';

class TestClock extends Clock {
  time = 1_700_000_000_000;
  override now(): number {
    return this.time;
  }
}

const runner = { describe, it, expect };

subscriberRepositoryConformance(
  {
    name: 'in memory',
    shared: false,
    makeStorage: async () => {
      const repository = new InMemorySubscriberRepository();
      return { open: () => repository, letStalenessPass: () => {}, close: async () => {} };
    },
  },
  runner,
);

let directory: string;
let postgres: FreshDatabase;
let mariadb: FreshDatabase;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'thorn-subscribers-'));
  postgres = await freshPostgres();
  mariadb = await freshMariadb();
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await postgres.drop();
  await mariadb.drop();
});

let files = 0;
subscriberRepositoryConformance(
  {
    name: 'TypeORM on SQLite',
    shared: true,
    makeStorage: () =>
      onDatabase({
        type: 'better-sqlite3',
        database: join(directory, `${files++}.db`),
        enableWAL: true,
      }),
  },
  runner,
);
subscriberRepositoryConformance(
  {
    name: 'TypeORM on PostgreSQL',
    shared: true,
    makeStorage: () => onDatabase({ type: 'postgres', url: postgres.url, dropSchema: true }),
  },
  runner,
);

subscriberRepositoryConformance(
  {
    name: 'TypeORM on MariaDB',
    shared: true,
    makeStorage: () => onDatabase({ type: 'mariadb', url: mariadb.url, dropSchema: true }),
  },
  runner,
);

subscriberRepositoryConformance(
  {
    name: 'TypeORM on SQLite, sealed',
    shared: true,
    makeStorage: () =>
      onDatabase(
        { type: 'better-sqlite3', database: join(directory, `${files++}.db`), enableWAL: true },
        new SecretSealer({ keys: [{ id: 'one', key: randomBytes(32) }] }),
      ),
  },
  runner,
);

/** Every repository has connections of its own, as in another process. */
async function onDatabase(options: DataSourceOptions, sealer?: SecretSealer) {
  const open = (changed: Partial<DataSourceOptions>) =>
    new DataSource({
      ...options,
      entities: [...thornEntities],
      ...changed,
    } as DataSourceOptions).initialize();
  const dataSources = [
    await open({ synchronize: true }),
    await open({ dropSchema: false, synchronize: false }),
  ];
  const clients = await Promise.all(dataSources.map(createClient));
  for (const client of clients) client.attach();
  const clock = new TestClock();
  let opened = 0;
  return {
    open: () => new DatabaseSubscriberRepository(clients[opened++]!, clock, {}, sealer),
    letStalenessPass: () => {
      clock.time += 5001;
    },
    close: async () => {
      for (const client of clients) client.detach();
      for (const dataSource of dataSources) await dataSource.destroy();
    },
  };
}
