import { afterEach, describe, expect, it } from 'vitest';
import { AnybodyGuard, type Api, startApi } from '../support/apps/api-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { seedSubscribers } from '../support/seed-subscribers.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const ROWS = IS_LONG ? 100_000 : 12_000;

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

    it('are searched in bounded requests', async () => {
      place = await createDatabase(kind);
      api = await startApi('express', {
        api: { unprotected: true, owner: () => 'alice' },
        thorn: { operatorApi: { guards: [AnybodyGuard] } },
        store: place,
      });
      await seedSubscribers(api.app, ROWS);
      for (const path of ['/hooks', '/hooks-operator/subscribers']) {
        for (const [search, count] of SEARCHES) {
          // What is not there is looked for to the end.
          const wanted = count === 0 ? 1 : count;
          const found: string[] = [];
          let requests = 0;
          let after = '';
          do {
            const { body } = await api.send('GET', `${path}?limit=10&search=${search}${after}`);
            requests++;
            found.push(...body.items.map(({ id }: { id: string }) => id));
            after = body.next === null ? '' : `&after=${body.next}`;
          } while (after !== '' && found.length < wanted);
          expect([search, found.length]).toEqual([search, count]);
          // No request looks at all of them.
          if (count === 0 && path !== '/hooks') {
            expect(requests).toBe(Math.floor(ROWS / 10_000) + 1);
          }
        }
      }
    });
  },
);
