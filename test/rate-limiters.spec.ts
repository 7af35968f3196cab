import { DataSource } from 'typeorm';
import { outboxEntities } from '../lib/outbox/index.js';
import { DatabaseRateLimiter } from '../lib/outbox/database-rate-limiter.js';
import { PooledDatabase } from '../lib/outbox/pooled-database.js';
import { SqliteDatabase } from '../lib/outbox/sqlite-database.js';
import { tableNames } from '../lib/outbox/tables.js';
import { type Kind, placeOf } from './outbox-place.js';
import { rateLimiterSuite, type RateLimiterPlace } from './rate-limiter-suite.js';

const PROCESSES = 3;

for (const kind of ['file', 'postgres', 'mariadb'] as const) {
  rateLimiterSuite(`a database, ${kind}`, () => inDatabase(kind));
}

async function inDatabase(kind: Kind): Promise<RateLimiterPlace> {
  const place = await placeOf(kind);
  const opened: (() => Promise<unknown>)[] = [];
  const limiters: DatabaseRateLimiter[] = [];
  for (let n = 0; n < PROCESSES; n++) {
    const dataSource = new DataSource({
      ...place.options,
      entities: outboxEntities,
      synchronize: n === 0,
    });
    await dataSource.initialize();
    const database =
      kind === 'file' ? new SqliteDatabase(dataSource) : new PooledDatabase(dataSource, 10_000);
    await database.open();
    opened.push(
      () => database.close(),
      () => dataSource.destroy(),
    );
    limiters.push(new DatabaseRateLimiter(database, tableNames(dataSource).rateLimits));
  }
  return {
    limiters,
    close: async () => {
      for (const close of opened) await close();
      await place.remove();
    },
  };
}
