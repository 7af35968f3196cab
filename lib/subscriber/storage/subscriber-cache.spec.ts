import { TypeOrmClient } from '../../database/typeorm-client.js';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { subscriber } from '../../testing/conformance/subscriber-repository/subscribers.js';
import { SubscriberAudit } from '../model/subscriber-audit.js';
import { SubscriberCache } from './subscriber-cache.js';
import { SubscriberRowMapper } from './subscriber-row-mapper.js';
import { SubscriberTable } from './subscriber-table.js';
import { thornEntities } from '../../typeorm/index.js';

const EVERYONE = { event: 'article.created', owner: null, audience: 'everyone' } as const;

/** Holds back what it has read until told otherwise: the moment in which others make their changes. */
class SlowTable extends SubscriberTable {
  #open: () => void = () => {};
  #gate: Promise<void> = Promise.resolve();
  reads = 0;

  hold(): () => void {
    this.#gate = new Promise((resolve) => (this.#open = resolve));
    return this.#open;
  }

  override async *pages(since?: number | null) {
    for await (const rows of super.pages(since)) {
      this.reads++;
      await this.#gate;
      yield rows;
    }
  }
}

let dataSource: DataSource;
let table: SlowTable;
let cache: SubscriberCache;
const clock = { time: 0, now: () => clock.time };

beforeEach(async () => {
  dataSource = await new DataSource({
    type: 'better-sqlite3',
    database: ':memory:',
    entities: [...thornEntities],
    synchronize: true,
  }).initialize();
  table = new SlowTable(new TypeOrmClient(dataSource), new SubscriberAudit());
  clock.time = 1_700_000_000_000;
  cache = new SubscriberCache(table, new SubscriberRowMapper(), clock, {
    maxStaleness: 5000,
    outageTolerance: 60_000,
  });
});
afterEach(() => dataSource.destroy());

async function urls(): Promise<string[]> {
  return (await cache.match(EVERYONE)).map(({ url }) => url);
}

const write = async (columns: { url: string; revision: number }) =>
  table.updateUnchanged((await table.find('one', 'any'))!, columns, null);
const at = (url: string) => new SubscriberRowMapper().toRow(subscriber('one', { url }));

it('does not let a look that has read the old row undo a deletion or a change', async () => {
  await table.insert(at('old:'), null);
  await table.insert(new SubscriberRowMapper().toRow(subscriber('gone', { url: 'gone:' })), null);
  const release = table.hold();
  const looking = cache.match(EVERYONE);
  await expect.poll(() => table.reads).toBe(1);

  await cache.change('one', async () => {
    await write({ url: 'new:', revision: 1 });
    return table.find('one', 'any');
  });
  await cache.change('gone', async () => {
    await table.delete((await table.find('gone', 'any'))!, null);
    return null;
  });
  release();
  expect((await looking).map(({ url }) => url)).toEqual(['new:']);
  expect(await urls()).toEqual(['new:']);
});

it('looks again when a write of its own ends with a row that a look has overtaken', async () => {
  await table.insert(at('old:'), null);
  await urls();

  let finish = () => {};
  const ours = cache.change('one', async () => {
    const row = await table.find('one', 'any');
    await new Promise<void>((resolve) => (finish = resolve));
    return row;
  });
  await write({ url: 'theirs:', revision: 1 });
  clock.time += 5001;
  expect(await urls()).toEqual(['theirs:']);

  finish();
  await ours;
  expect(await urls()).toEqual(['theirs:']);
});

it('looks again after a write of which it is not known whether it was made', async () => {
  await table.insert(at('old:'), null);
  await urls();
  const failed = cache.change('one', async () => {
    await write({ url: 'new:', revision: 1 });
    throw new Error('connection lost');
  });

  await expect(failed).rejects.toThrow('connection lost');
  expect(await urls()).toEqual(['new:']);
});

it('makes a message wait for a second look when the one under way began too early for it', async () => {
  await table.insert(at('old:'), null);
  const release = table.hold();
  const early = cache.match(EVERYONE);
  await expect.poll(() => table.reads).toBe(1);

  await write({ url: 'new:', revision: 1 });
  clock.time += 5001;
  const late = cache.match(EVERYONE);
  release();
  expect((await early).map(({ url }) => url)).toEqual(['old:']);
  expect((await late).map(({ url }) => url)).toEqual(['new:']);
});
