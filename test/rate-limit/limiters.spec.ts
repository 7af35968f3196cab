import { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { outboxEntities } from '../../lib/typeorm/schema/thorn-schema.js';
import { PooledStore } from '../../lib/database/pooled-store.js';
import { createClient } from '../../lib/typeorm/sources/typeorm-sources.js';
import { DataSourceStore } from '../../lib/typeorm/sqlite/data-source-store.js';
import { DatabaseRateLimiter } from '../../lib/outbox/wait/database-rate-limiter.js';
import type { PermitRequest } from '../../lib/outbox/wait/permits.js';
import { maxWithin } from '../support/attempt-starts.js';
import { createDatabase, type DatabaseKind } from '../support/databases.js';
import { permitRequest } from '../support/permit-requests.js';

const PROCESSES = 3;
const START = 1_700_000_000_000;

/** Limiters of several processes that share one database. */
interface SharedRateLimiters {
  readonly limiters: readonly DatabaseRateLimiter[];
  close(): Promise<void>;
}

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  { kind: 'mariadb' },
])('the rate limiter, on $kind', ({ kind }) => {
  it('grants processes that ask at the same time no more than one of them would get', async () => {
    const { limiters, close } = await open(kind);
    try {
      const starts = new Map<string, number[]>();
      const ids = ['sub_1', 'sub_2', 'sub_3'];
      for (let round = 0; round < 30; round++) {
        const now = START + round * 700;
        await Promise.all(
          limiters.flatMap((limiter, at) =>
            [0, 1].map(async (again) => {
              // Not all of them want the same, in another order each.
              const wanted = ids.filter((_, index) => (index + at + again + round) % 3 !== 0);
              if (at % 2 === 1) wanted.reverse();
              const asks = new Map(wanted.map((id) => [id, tenPerSecond({ waited: 7 })]));
              const answers = await limiter.grant(asks, now + at);
              expect([...answers.keys()].sort()).toEqual([...wanted].sort());
              for (const [id, { permits }] of answers) {
                const all = starts.get(id) ?? [];
                starts.set(id, all);
                for (const { from, count } of permits) {
                  for (let n = 0; n < count; n++) all.push(Math.max(now, from));
                }
              }
            }),
          ),
        );
      }
      for (const id of ids) {
        const times = starts.get(id)!;
        expect(maxWithin(times, 1000), id).toBeLessThanOrEqual(10);
        expect(times.length, id).toBeGreaterThan(30 * 0.7 * 9);
      }
    } finally {
      await close();
    }
  });

  it('counts each subscriber alone, and the permits of earlier calls', async () => {
    const { limiters, close } = await open(kind);
    try {
      const [one, other] = [limiters[0]!, limiters.at(-1)!];
      const all = (id: string) => new Map([[id, tenPerSecond({ fresh: 10 })]]);
      const given = async (limiter: DatabaseRateLimiter, id: string, now = START) => {
        const { permits } = (await limiter.grant(all(id), now)).get(id)!;
        return permits.filter(({ from }) => from <= now).reduce((sum, { count }) => sum + count, 0);
      };
      expect(await given(one, 'sub_1')).toBe(10);
      expect(await given(other, 'sub_1')).toBe(0);
      expect(await given(other, 'sub_2')).toBe(10);
      expect(await given(one, 'sub_2')).toBe(0);
      expect(await given(one, 'sub_1', START + 60_000)).toBe(10);
    } finally {
      await close();
    }
  });

  it('returns no permits when no subscriber asks', async () => {
    const { limiters, close } = await open(kind);
    try {
      expect(await limiters[0]!.grant(new Map(), START)).toEqual(new Map());
    } finally {
      await close();
    }
  });
});

async function open(kind: DatabaseKind): Promise<SharedRateLimiters> {
  const place = await createDatabase(kind);
  const opened: (() => Promise<unknown>)[] = [];
  const limiters: DatabaseRateLimiter[] = [];
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
    limiters.push(new DatabaseRateLimiter(database, database.table('thorn_rate_limits')));
  }
  return {
    limiters,
    close: async () => {
      for (const close of opened) await close();
      await place.drop();
    },
  };
}

/** A request for permits of a limit of 10 a second. */
function tenPerSecond(different: Partial<PermitRequest>): PermitRequest {
  return permitRequest(10, 1000, different);
}
