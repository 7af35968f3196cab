import { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { PooledStore } from '../../lib/database/pooled-store.js';
import { tableNames } from '../../lib/outbox/tables/table-names.js';
import { PaceTable } from '../../lib/outbox/wait/pace-table.js';
import { outboxEntities } from '../../lib/typeorm/schema/thorn-schema.js';
import { createClient } from '../../lib/typeorm/sources/typeorm-sources.js';
import { DataSourceStore } from '../../lib/typeorm/sqlite/data-source-store.js';
import { maxWithin } from '../support/attempt-starts.js';
import { createDatabase, type DatabaseKind } from '../support/databases.js';

const PROCESSES = 3;
const START = 1_700_000_000_000;
const LIMIT = { max: 10, per: 1000 };

/** The tables of several processes that share one database. */
interface SharedPaces {
  readonly paces: readonly PaceTable[];
  close(): Promise<void>;
}

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('the table of rate limits, on $kind', ({ kind }) => {
  it('spaces the attempts of processes that ask at the same time', async () => {
    const { paces, close } = await open(kind);
    try {
      const starts = new Map<string, number[]>();
      const ids = ['sub_1', 'sub_2', 'sub_3'];
      for (let round = 0; round < 30; round++) {
        const now = START + round * 700;
        await Promise.all(
          paces.flatMap((table, at) =>
            [0, 1].map(async (again) => {
              // Not all of them want the same, in another order each.
              const wanted = ids.filter((_, index) => (index + at + again + round) % 3 !== 0);
              if (at % 2 === 1) wanted.reverse();
              const requests = new Map(
                wanted.map((id) => [id, { limit: LIMIT, waited: 7, fresh: 0 }]),
              );
              const given = await table.giveTimes(requests, now + at);
              expect([...given.keys()].sort()).toEqual([...wanted].sort());
              for (const [id, times] of given) {
                expect(times.starts.length + times.dues.length).toBe(7);
                starts.set(id, [...(starts.get(id) ?? []), ...times.starts]);
              }
            }),
          ),
        );
      }
      for (const id of ids) {
        const times = starts.get(id)!;
        expect(maxWithin(times, 1000), id).toBeLessThanOrEqual(10);
        expect(maxWithin(times, 99), id).toBe(1);
        expect(times.length, id).toBeGreaterThan(30 * 0.7 * 9);
      }
    } finally {
      await close();
    }
  });

  it('gives each of 10,000 subscribers its own times', async () => {
    const { paces, close } = await open(kind);
    try {
      const ids = Array.from({ length: 10_000 }, (_, n) => `sub_${n}`);
      const requests = new Map(ids.map((id) => [id, { limit: LIMIT, waited: 0, fresh: 1 }]));
      const given = await Promise.all(paces.map((table) => table.giveTimes(requests, START)));
      for (const id of ids) {
        const starts = given.map((times) => times.get(id)!.starts[0]!).sort();
        expect(starts, id).toEqual([START, START + 100, START + 200]);
      }
    } finally {
      await close();
    }
  });
});

async function open(kind: DatabaseKind): Promise<SharedPaces> {
  const place = await createDatabase(kind);
  const opened: (() => Promise<unknown>)[] = [];
  const paces: PaceTable[] = [];
  for (let n = 0; n < PROCESSES; n++) {
    const dataSource = new DataSource({
      ...place.options,
      entities: outboxEntities,
      synchronize: n === 0,
    });
    await dataSource.initialize();
    const client = await createClient(dataSource);
    const database =
      kind === 'file' ? new DataSourceStore(client) : new PooledStore(client, 10_000);
    await database.open();
    opened.push(
      () => database.close(),
      () => dataSource.destroy(),
    );
    paces.push(new PaceTable(database, tableNames(database)));
  }
  return {
    paces,
    close: async () => {
      for (const close of opened) await close();
      await place.drop();
    },
  };
}
