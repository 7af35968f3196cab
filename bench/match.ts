import { TypeOrmClient } from '../lib/database/typeorm-client.js';
import { thornEntities } from '../lib/typeorm/index.js';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { SystemClock } from '../lib/common/time.js';
import { type MatchCriteria, DatabaseSubscriberRepository } from '../lib/subscriber/index.js';
import { forked } from './contenders/forked.js';
import { median, paced, reportValue } from './harness.js';
import { reading } from './match/reading.js';
import { Services } from './outbox/services.js';
import { partsOf } from './parts.js';

const KINDS = ['article', 'comment', 'order', 'invoice', 'user', 'team', 'file', 'build'];
const ACTIONS = ['created', 'changed', 'removed', 'published', 'tagged'];
const EVENTS = KINDS.flatMap((kind) => ACTIONS.map((action) => `${kind}.${action}`));
const SUBSCRIBERS_PER_OWNER = 5;
const OWNERLESS = 10;
const TURNS = { warmUp: 0, turn: 0, rounds: 21 };
/** Every event name with every owner in turn: no answer is asked for twice in a row of thousands. */
const QUERIES = 200_000;
/** Queries that are prepared before they are timed: few, so that they are as near as those of a message just made. */
const BATCH = 200;
const CHUNK = 5000;
const STARTS = 3;

type Question = (
  at: number,
  senders: readonly string[],
) => Pick<MatchCriteria, 'owner' | 'audience'>;

const OF_AN_OWNER: Readonly<Record<string, Question>> = {
  'of an owner': (at, senders) => ({ owner: senders[at % senders.length]!, audience: 'owner' }),
};
const QUESTIONS: Readonly<Record<string, Question>> = {
  ...OF_AN_OWNER,
  'of an empty owner': () => ({ owner: null, audience: 'owner' }),
  'to everyone': () => ({ owner: null, audience: 'everyone' }),
};

/**
 * What one message pays to find its subscribers, with the default repository and the system's clock, the looks at the
 * table for changes of other processes included. The figures are of messages with an owner, the typical case; each
 * query has another event name and another owner than those before it.
 *
 * @param wanted names of parts; all when there are none
 */
export async function run(wanted: readonly string[]): Promise<void> {
  const parts = { search, million, load };
  for (const part of partsOf<undefined>('match', parts, wanted)) await part.run(undefined);
}

async function search(): Promise<void> {
  await measure(1000);
  const hundredThousand = await measure(100_000);
  reportValue('match.100k', hundredThousand.ofAnOwner, 'µs', 1);
  reportValue('match.bytes-per-subscriber', hundredThousand.bytesEach, 'bytes', 600);
}

async function million(): Promise<void> {
  // A message to everyone goes to a sixth of them, and lists that long are not kept.
  const { ofAnOwner } = await measure(1_000_000, OF_AN_OWNER);
  reportValue('match.1m', ofAnOwner, 'µs', 2);
}

/** What the first message costs an application that has just started, on PostgreSQL: all subscribers are read. */
async function load(): Promise<void> {
  const services = new Services();
  try {
    const options = await services.postgres();
    await (await filled(100_000, options)).dataSource.destroy();
    const costs: number[] = [];
    for (let left = STARTS; left > 0; left--) costs.push(await costOfReading(options));
    reportValue('match.load-100k', median(costs), 'ms of CPU', 1000);
  } finally {
    await services.stop();
  }
}

/** @returns milliseconds of CPU */
async function costOfReading(options: DataSourceOptions): Promise<number> {
  const application = await forked(reading, 'application', options);
  const before = await application.cpu();
  const began = performance.now();
  await application.rate(50, 1);
  const took = performance.now() - began;
  const cpu = ((await application.cpu()) - before) / 1000;
  await application.stop();
  console.error(`read in ${took.toFixed(0)} ms, ${cpu.toFixed(0)} ms of CPU`);
  return cpu;
}

/** @returns microseconds a query, and the heap that each subscriber takes */
async function measure(
  count: number,
  questions = QUESTIONS,
): Promise<{ ofAnOwner: number; bytesEach: number }> {
  const each = await population(count);
  const found = new Map<string, number>();
  for (const [title, question] of Object.entries(questions)) {
    const times: number[] = [];
    await round(each, question); // warm
    for (let left = paced(TURNS).rounds; left > 0; left--) times.push(await round(each, question));
    found.set(title, median(times));
  }
  await each.dataSource.destroy();
  const told = [...found].map(([title, time]) => `${time.toFixed(3)} µs ${title}`).join(', ');
  console.error(`among ${count}: ${told}; ${each.bytesEach.toFixed(0)} bytes each`);
  return { ofAnOwner: found.get('of an owner')!, bytesEach: each.bytesEach };
}

interface Population {
  readonly dataSource: DataSource;
  readonly repository: DatabaseSubscriberRepository;
  readonly senders: readonly string[];
  readonly bytesEach: number;
}

/** @returns microseconds a query */
async function round({ repository, senders }: Population, question: Question): Promise<number> {
  let found = 0;
  let nanoseconds = 0n;
  for (let from = 0; from < QUERIES; from += BATCH) {
    const criteria = Array.from({ length: BATCH }, (_, at) => {
      const { owner, audience } = question(from + at, senders);
      const event = EVENTS[(from + at) % EVENTS.length]!;
      return { event, owner: owner === null ? null : fresh(owner), audience };
    });
    const start = process.hrtime.bigint();
    for (const one of criteria) {
      const match = repository.match(one);
      found += (match instanceof Promise ? await match : match).length;
    }
    nanoseconds += process.hrtime.bigint() - start;
  }
  if (found < QUERIES) throw new Error('there must be something to find');
  return Number(nanoseconds) / 1000 / QUERIES;
}

/** A string of its own, not yet hashed: as it comes out of an entity, and never the one that the index holds. */
function fresh(text: string): string {
  return Buffer.from(text).toString();
}

async function population(count: number): Promise<Population> {
  const { dataSource, senders } = await filled(count, {
    type: 'better-sqlite3',
    database: ':memory:',
  });
  const repository = new DatabaseSubscriberRepository(
    new TypeOrmClient(dataSource),
    new SystemClock(),
  );
  const before = heapUsed();
  const began = performance.now();
  await repository.match({ event: EVENTS[0]!, owner: null, audience: 'owner' });
  console.error(`${count} subscribers read in ${(performance.now() - began).toFixed(0)} ms`);
  const bytesEach = (heapUsed() - before) / count;
  return { dataSource, repository, senders, bytesEach };
}

/** A data source with so many subscribers, and their owners in no order. */
async function filled(
  count: number,
  options: DataSourceOptions,
): Promise<Pick<Population, 'dataSource' | 'senders'>> {
  const dataSource = await new DataSource({
    ...options,
    entities: thornEntities,
    synchronize: true,
  }).initialize();
  const random = seeded(7);
  const owners = Array.from({ length: count / SUBSCRIBERS_PER_OWNER }, (_, at) => ownerName(at));
  for (let from = 0; from < count; from += CHUNK) {
    const rows = Array.from({ length: Math.min(CHUNK, count) }, (_, at) =>
      row(from + at, owners, random),
    );
    await dataSource.query(insertion(options.type), [JSON.stringify(rows)]);
  }
  return { dataSource, senders: shuffled(owners, random) };
}

/** Bytes of the heap that are in use, once garbage is collected. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

function insertion(type: DataSourceOptions['type']): string {
  const [no, yes, rows] =
    type === 'postgres'
      ? ['false', 'true', 'json_array_elements($1::json) AS value']
      : [0, 1, 'json_each(?)'];
  return `
  INSERT INTO thorn_subscribers
    (id, owner, url, events, exclude, ordered, on_exhausted, content_type, digest, secrets, enabled, verification, metadata, revision, created_at, updated_at)
  SELECT value ->> 'id', value ->> 'owner', 'https://example.com/hooks/' || (value ->> 'id'), value ->> 'events', '[]',
    ${no}, 'skip', 'application/json', 'sha256', '[{"value":"whsec_c2VjcmV0","expiresAt":null}]', ${yes}, 'none', '{}',
    CAST(value ->> 'revision' AS int), 0, 0
  FROM ${rows}`;
}

/** 60 of 100 patterns name one event, 25 a kind, 10 an action of every kind, 5 everything. */
function row(number: number, owners: readonly string[], random: () => number) {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const pattern = () => {
    const dice = random();
    if (dice < 0.6) return pick(EVENTS);
    if (dice < 0.85) return `${pick(KINDS)}.*`;
    return dice < 0.95 ? `*.${pick(ACTIONS)}` : '*';
  };
  const events = Array.from({ length: pick([1, 1, 2, 3]) }, pattern);
  return {
    id: `sub_${String(number).padStart(36, '0')}`,
    owner: number < OWNERLESS ? null : pick(owners),
    events: JSON.stringify([...new Set(events)]),
    revision: Math.floor(random() * 2 ** 31),
  };
}

function ownerName(number: number): string {
  return `user-${number.toString(36).padStart(8, '0')}`;
}

/** So that neighbours in memory are not asked for one after the other. */
function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
