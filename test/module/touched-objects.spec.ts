import axios from 'axios';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import * as undici from 'undici';
import { afterEach, expect, it } from 'vitest';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { connectionTo, openBullMqApp } from '../support/apps/bullmq-app.js';
import { openOutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind } from '../support/databases.js';
import { startRedis } from '../services/redis.js';

@Entity()
@Webhooks<Ware>({ payload: ({ title }) => ({ title }) })
@WebhookEvent<Ware>('ware.created', { on: 'create' })
class Ware {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
}

/** What is replaced of TypeORM, as docs/operations.md lists it. */
const OF_TYPEORM = [
  'DeleteQueryBuilder.prototype.execute',
  'EntityManager.prototype.clear',
  'EntityManager.prototype.transaction',
  'InsertQueryBuilder.prototype.execute',
  'SoftDeleteQueryBuilder.prototype.execute',
  'UpdateQueryBuilder.prototype.execute',
];
const OF_SQLITE = [
  'BetterSqlite3Driver.prototype.createQueryRunner',
  'BetterSqlite3QueryRunner.prototype.query',
  'EntityManager.prototype.recover',
  'EntityManager.prototype.remove',
  'EntityManager.prototype.save',
  'EntityManager.prototype.softRemove',
];

const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

it.each<[DatabaseKind, readonly string[]]>([
  ['postgres', OF_TYPEORM],
  ['mariadb', OF_TYPEORM],
  ['file', [...OF_SQLITE, ...OF_TYPEORM].sort()],
])('nothing but the listed methods of TypeORM is replaced, on %s', async (kind, replaced) => {
  const place = await createDatabase(kind);
  clean.push(() => place.drop());
  const plain = new DataSource({ ...place.options, entities: [Ware] });
  await plain.initialize();
  await plain.synchronize();
  clean.push(() => plain.destroy());
  const before = await functionsOf(plain);
  const keysBefore = await keysOfWritten(plain);
  const receiver = await ScriptedReceiver.start();
  clean.push(() => receiver.stop());
  const app = await openOutboxApp(place, { entities: [Ware] });
  let isOpen = true;
  clean.push(() => isOpen && app.close());
  await app.subscribers.create(subscriber(receiver.url, { events: ['ware.*'] }));
  await app.dataSource.manager.save(Ware, { title: 'a' });
  await app.dataSource.transaction((manager) => manager.insert(Ware, { title: 'b' }));
  await receiver.waitFor(2);

  expect(await keysOfWritten(app.dataSource)).toEqual(keysBefore);
  expect(differences(before, await functionsOf(app.dataSource))).toEqual(replaced);
  await app.close();
  isOpen = false;
  expect(differences(before, await functionsOf(plain))).toEqual([]);
});

it.each<DatabaseKind>(['postgres', 'mariadb', 'file'])(
  'nothing of TypeORM is replaced where triggers report the changes, on %s',
  async (kind) => {
    const place = await createDatabase(kind);
    clean.push(() => place.drop());
    const plain = new DataSource({ ...place.options, entities: [Ware] });
    await plain.initialize();
    await plain.synchronize();
    clean.push(() => plain.destroy());
    const [before, keysBefore] = [await functionsOf(plain), await keysOfWritten(plain)];
    const options = { ...place.options, synchronize: true, autoLoadEntities: true };
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot(options),
        TypeOrmModule.forFeature([Ware]),
        ThornModule.forRoot({ capture: 'triggers', keep: true }),
      ],
    }).compile();
    clean.push(() => module.close());
    const [dataSource, dispatcher] = [module.get(DataSource), module.get(WebhookDispatcher)];
    const sell = (fails: boolean) =>
      dataSource.transaction(async (manager) => {
        await manager.insert(Ware, { title: 'b' });
        await dispatcher.send('ware.sold', {}, { manager });
        await expect(dispatcher.send('ware.sold', {})).rejects.toThrow('was given no transaction');
        if (fails) throw new Error('sold out');
      });
    await sell(false);
    await expect(sell(true)).rejects.toThrow('sold out');

    expect(await dataSource.getRepository('thorn_messages').count()).toBe(1);
    expect(await keysOfWritten(dataSource)).toEqual(keysBefore);
    expect(differences(before, await functionsOf(dataSource))).toEqual([]);
  },
);

it('nothing of Redis, BullMQ, undici and axios is replaced', async () => {
  const objects = {
    ...{ Redis: Redis.prototype, Queue: Queue.prototype, Worker: Worker.prototype },
    ...{ Agent: undici.Agent.prototype, Pool: undici.Pool.prototype },
    ...{ Client: undici.Client.prototype, Axios: axios.Axios.prototype, axios },
  };
  const read = () =>
    new Map(Object.entries(objects).flatMap(([name, object]) => [...ownFunctions(name, object)]));
  const before = read();
  const [place, redis] = await Promise.all([createDatabase('postgres'), startRedis()]);
  clean.push(
    () => place.drop(),
    () => redis.stop(),
  );
  const receiver = await ScriptedReceiver.start();
  clean.push(() => receiver.stop());
  const app = await openBullMqApp(place, { connection: connectionTo(redis.port) });
  clean.push(() => app.close());
  await app.subscribers.create(subscriber(receiver.url));
  await app.send();
  await receiver.waitFor(1);

  expect(differences(before, read())).toEqual([]);
});

/** The own properties of the objects of TypeORM and of the driver that have made writes. */
async function keysOfWritten(dataSource: DataSource): Promise<Readonly<Record<string, unknown>>> {
  const written = await dataSource.transaction(async (manager) => {
    const { id } = await manager.save(Ware, { title: 'c' });
    const builder = manager.createQueryBuilder().update(Ware).set({ title: 'd' }).whereInIds(id);
    await builder.execute();
    return { builder, runner: manager.queryRunner!, manager };
  });
  const { objects, release } = await driverObjects(dataSource);
  release();
  const all = [dataSource, dataSource.driver, ...Object.values(written), ...objects];
  return Object.fromEntries(
    all.map((object) => [nameOf(object), Reflect.ownKeys(object).map(String).sort()]),
  );
}

type Functions = ReadonlyMap<string, unknown>;

/** The methods of what TypeORM and the driver of a data source are made of: their own, and those of their classes. */
async function functionsOf(dataSource: DataSource): Promise<Functions> {
  const builder = () => dataSource.createQueryBuilder();
  const runner = dataSource.createQueryRunner();
  const { objects, release } = await driverObjects(dataSource);
  try {
    return new Map(
      [
        ...[dataSource, dataSource.manager, dataSource.driver, runner, builder(), ...objects],
        ...[builder().insert(), builder().update(), builder().delete(), builder().softDelete()],
      ].flatMap((object) => [...ownFunctions(`${nameOf(object)}#`, object), ...ofClasses(object)]),
    );
  } finally {
    release();
    await runner.release();
  }
}

async function driverObjects({ driver, options }: DataSource) {
  const of = driver as unknown as Record<string, unknown>;
  if (options.type === 'better-sqlite3') {
    const connection = of['databaseConnection'] as { prepare(sql: string): object };
    return { objects: [connection, connection.prepare('SELECT 1')], release: () => {} };
  }
  if (options.type === 'postgres') {
    const pool = of['master'] as { connect(): Promise<{ connection: object; release(): void }> };
    const client = await pool.connect();
    return { objects: [pool, client, client.connection], release: () => client.release() };
  }
  const pool = of['pool'] as {
    getConnection(answer: (error: Error | null, connection: { release(): void }) => void): void;
  };
  const connection = await new Promise<{ release(): void }>((resolve, reject) =>
    pool.getConnection((error, found) => (error ? reject(error) : resolve(found))),
  );
  return { objects: [pool, connection], release: () => connection.release() };
}

function* ofClasses(object: object): Generator<[string, unknown]> {
  let prototype = Object.getPrototypeOf(object) as object | null;
  while (prototype !== null && prototype !== Object.prototype) {
    yield* ownFunctions(`${prototype.constructor.name}.prototype.`, prototype, true);
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
}

/** @param isShared true when all have the same functions; each instance may have its own */
function* ownFunctions(
  name: string,
  object: object,
  isShared = !name.endsWith('#'),
): Generator<[string, unknown]> {
  for (const key of Reflect.ownKeys(object)) {
    const { value, get, set } = Object.getOwnPropertyDescriptor(object, key)!;
    const path = `${name}${name.endsWith('.') || name.endsWith('#') ? '' : '.'}${String(key)}`;
    if (typeof value === 'function') yield [path, isShared ? value : 'a function'];
    if (get !== undefined) yield [`get ${path}`, get];
    if (set !== undefined) yield [`set ${path}`, set];
  }
}

function nameOf(object: object): string {
  return object.constructor.name;
}

function differences(before: Functions, after: Functions): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
}
