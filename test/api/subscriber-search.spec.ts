import { type CanActivate, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../support/apps/api-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { printFigures } from '../support/print-figures.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const ROWS = IS_LONG ? 100_000 : 12_000;
const REPEATED = IS_LONG ? 40 : 1;
const CREATED = 1_790_000_000_000;

const idAt = (at: number) => `sub_0198c2a4-8f1e-7c3a-9d55-${at.toString(16).padStart(12, '0')}`;

function rowAt(at: number) {
  return {
    id: idAt(at),
    owner: at % 2 === 0 ? 'alice' : 'bob',
    url: `https://customer-${at}.example.com/webhooks/incoming`,
    ...{ events: '["article.*"]', exclude: '[]', filter: null, metadata: '{}' },
    ...{ rateMax: null, ratePer: null, ordered: false, onExhausted: 'skip', holdFor: null },
    ...{ contentType: 'application/json', digest: 'sha256', secrets: '[]', enabled: true },
    verification: 'none',
    description: at === ROWS - 2 ? 'The Last of them' : `Number ${at}`,
    ...{ revision: 1, ownerSlot: null, hostSlot: null, createdAt: CREATED, updatedAt: CREATED },
  };
}

@Injectable()
class AnybodyGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** Reads on until there are ten, as the page does. */
const SEARCHES: readonly (readonly [search: string, found: number])[] = [
  ['WEBHOOKS', 10],
  ['the last of', 1],
  ['nowhere', 0],
];

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  `${ROWS} subscribers on $kind`,
  ({ kind }) => {
    let place: TestDatabase;
    let api: Api;
    afterEach(async () => {
      await api.app.close();
      await place.drop();
    });

    it('are searched in bounded time', { timeout: 600_000 }, async () => {
      place = await createDatabase(kind);
      api = await startApi('express', {
        api: { unprotected: true, owner: () => 'alice' },
        thorn: { operatorApi: { guards: [AnybodyGuard] } },
        store: place,
      });
      const table = api.app.get(DataSource).getRepository('ThornSubscriber');
      for (let from = 0; from < ROWS; from += 1000) {
        await table.insert(Array.from({ length: 1000 }, (_, n) => rowAt(from + n)));
      }
      await api.app.get(DataSource).query('ANALYZE');
      const slow: Record<string, number> = {};
      for (const path of ['/hooks', '/hooks-operator/subscribers']) {
        for (const [search, count] of SEARCHES) {
          const times: number[] = [];
          let requests = 0;
          // What is not there is looked for to the end.
          const wanted = count === 0 ? 1 : count;
          for (let n = 0; n < REPEATED; n++) {
            const found: string[] = [];
            let after = '';
            do {
              const began = performance.now();
              const { body } = await api.send('GET', `${path}?limit=10&search=${search}${after}`);
              times.push(performance.now() - began);
              requests++;
              found.push(...body.items.map(({ id }: { id: string }) => id));
              after = body.next === null ? '' : `&after=${body.next}`;
            } while (after !== '' && found.length < wanted);
            expect([search, found.length]).toEqual([search, count]);
          }
          // No request looks at all of them.
          if (count === 0 && path !== '/hooks') {
            expect(requests / REPEATED).toBe(Math.floor(ROWS / 10_000) + 1);
          }
          const sorted = times.toSorted((one, other) => one - other);
          slow[`${search} ${path}`] = sorted[Math.ceil(sorted.length * 0.95) - 1]!;
        }
      }
      printFigures(`p95 of searches among ${ROWS} subscribers on ${kind}`, slow);
      // A figure of time: it says something on a machine that has nothing else to do.
      if (IS_LONG) expect(Object.values(slow).filter((time) => time > 50)).toEqual([]);
    });
  },
);
