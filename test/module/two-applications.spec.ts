import { type DynamicModule, Global, type INestApplication, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  inline,
  outbox,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
  Webhooks,
} from '../../lib/index.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import { loopback } from '../support/apps/blog.js';
import { createDatabase, type DatabaseKind } from '../support/databases.js';
import { Receiver } from '../support/receiver.js';

const ALL = ['create', 'change', 'delete'] as const;

@Entity()
@Webhooks<Ship>({ payload: ({ name }, { on }) => ({ on, name }) })
@WebhookEvent<Ship>('ship', { on: [...ALL] })
class Ship {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ unique: true }) name!: string;
}

@Entity()
@WebhookEvent<Train>('train', { on: [...ALL], payload: ({ name }, { on }) => ({ on, name }) })
class Train {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
}

interface Sent {
  readonly type: string;
  readonly data: { readonly on?: string; readonly name?: string };
}

/** Hands a data source of the test to an application, which does not end it. */
@Global()
@Module({})
class SharedDataSource {
  static of(dataSource: DataSource): DynamicModule {
    const provider = { provide: getDataSourceToken(), useValue: dataSource };
    return { module: SharedDataSource, providers: [provider], exports: [provider] };
  }
}

describe.each<DatabaseKind>(['file', 'postgres', 'mariadb'])('two applications on %s', (kind) => {
  let receiver: Receiver;
  let clean: (() => Promise<unknown>)[];

  beforeEach(async () => {
    receiver = await Receiver.start();
    clean = [() => receiver.stop()];
  });
  afterEach(async () => {
    for (const one of clean.reverse()) await one();
  });

  async function open(...entities: Function[]): Promise<DataSource> {
    const place = await createDatabase(kind);
    clean.push(() => place.drop());
    const dataSource = new DataSource({
      ...place.options,
      entities: [...entities, ...thornEntities] as never[],
      synchronize: true,
    });
    await dataSource.initialize();
    clean.push(() => dataSource.destroy());
    return dataSource;
  }

  /** An application whose one subscriber has its name as path. */
  async function start(
    name: string,
    dataSource: DataSource,
    options: ThornModuleOptions & ThornModuleExtras = {},
  ): Promise<INestApplication> {
    const thorn = ThornModule.forRoot({
      dispatch: inline(),
      recipients: loopback,
      ...options,
      subscribers: { '*': `${receiver.url}/${name}` },
    });
    const module = await Test.createTestingModule({
      imports: [SharedDataSource.of(dataSource), thorn],
    }).compile();
    const app = module.createNestApplication();
    app.useLogger(false);
    await app.init();
    return app;
  }

  /** What each application has sent, in the order of its name. */
  const told = (): string[] =>
    receiver.requests
      .splice(0)
      .map(({ path, body }) => {
        const { type, data } = JSON.parse(body.toString()) as Sent;
        return [path.replace('/hooks/', ''), type, data.on, data.name].join(' ');
      })
      .sort();

  it('keep an outbox each, in one process', async () => {
    const [ships, trains] = [await open(Ship), await open(Train)];
    const options = { dispatch: outbox({ pollInterval: 50 }) };
    const one = await start('one', ships, options);
    clean.push(() => one.close());
    const other = await start('other', trains, options);
    clean.push(() => other.close());
    const [ofShips, ofTrains] = [one, other].map((app) => app.get(WebhookDispatcher));

    const sunk = ships.transaction(async (manager) => {
      await ofShips!.send('sunk', {}, { manager });
      await ofTrains!.send('late', {}, { manager: null });
      throw new Error('sunk');
    });
    await expect(sunk).rejects.toThrow('sunk');
    await trains.transaction((manager) => ofTrains!.send('left', {}, { manager }));
    await ships.transaction((manager) => ofShips!.send('docked', {}, { manager }));
    await receiver.waitFor(3);

    expect(told().map((line) => line.trim())).toEqual(['one docked', 'other late', 'other left']);
  });

  async function writes(dataSource: DataSource, type: new () => Ship | Train): Promise<void> {
    const rows = dataSource.getRepository<Ship | Train>(type);
    const row = await rows.save({ name: 'a' });
    await rows.save({ ...row, name: 'b' });
    await rows.update({ name: 'b' }, { name: 'c' });
    await rows.insert({ name: 'd' });
    await dataSource.transaction(async (manager) => {
      await manager.delete(type, { name: 'd' });
    });
    await rows.remove(await rows.findOneByOrFail({ name: 'c' }));
  }
  const written = (name: string, event: string) => [
    `${name} ${event} change b`,
    `${name} ${event} change c`,
    `${name} ${event} create a`,
    `${name} ${event} create d`,
    `${name} ${event} delete c`,
    `${name} ${event} delete d`,
  ];

  it('tell each of what its own data source writes', async () => {
    const [ships, trains] = [await open(Ship), await open(Train)];
    const [one, two] = [await start('one', ships), await start('two', trains)];

    await writes(ships, Ship);
    await writes(trains, Train);
    await receiver.waitFor(12);
    expect(told()).toEqual([...written('one', 'ship'), ...written('two', 'train')]);

    await one.close();
    await ships.getRepository(Ship).save({ name: 'x' });
    await trains.getRepository(Train).save({ name: 'x' });
    await receiver.waitFor(1);
    await two.close();
    expect(told()).toEqual(['two train create x']);
  });

  it('that share a data source tell their own subscribers once each', async () => {
    const shared = await open(Ship, Train);
    const [one, two] = [await start('one', shared), await start('two', shared)];

    await writes(shared, Ship);
    await receiver.waitFor(12);
    expect(told()).toEqual([...written('one', 'ship'), ...written('two', 'ship')]);

    const [first, second] = [one, two].map((app) => app.get(WebhookDispatcher));
    await shared.transaction(async () => {
      await first!.send('sent', { name: 'm' });
      await second!.send('sent', { name: 'n' });
    });
    const undone = shared.transaction(async (manager) => {
      await manager.save(Train, { name: 'z' });
      await first!.send('sent', { name: 'z' });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await receiver.waitFor(2);
    expect(told()).toEqual(['one sent  m', 'two sent  n']);

    await one.close();
    await shared.getRepository(Train).save({ name: 'x' });
    await receiver.waitFor(1);
    await two.close();
    expect(told()).toEqual(['two train create x']);
  });

  it('leave a data source that they share when its open transaction has ended', async () => {
    const shared = await open(Train);
    const listeners = [...shared.subscribers];
    const [one, two] = [await start('one', shared), await start('two', shared)];
    const runner = shared.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.save(Train, { name: 'x' });
    await Promise.all([one.close(), two.close()]);

    await runner.commitTransaction();
    await runner.release();

    await expect.poll(() => shared.subscribers).toEqual(listeners);
  });

  if (kind !== 'file') return;
  it('go on taking turns on the one connection that they share, when one of them has closed', async () => {
    const shared = await open(Train);
    const [one, two] = [await start('one', shared), await start('two', shared)];
    await one.close();

    let goOn = (): void => undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const undone = shared.transaction(async (manager) => {
      await manager.save(Train, { name: 'undone' });
      await gate;
      throw new Error('undone');
    });
    const kept = shared.transaction((manager) => manager.save(Train, { name: 'kept' }));
    goOn();
    await expect(undone).rejects.toThrow('undone');
    await kept;
    await receiver.waitFor(1);
    await two.close();

    expect(await shared.getRepository(Train).find()).toMatchObject([{ name: 'kept' }]);
    expect(told()).toEqual(['two train create kept']);
    // As TypeORM made it.
    expect(shared.createQueryRunner()).toBe(shared.createQueryRunner());
  });

  it('are refused when they differ in how they take turns', async () => {
    const shared = await open(Train);
    const one = await start('one', shared);
    const other = start('two', shared, { serializeTransactions: false });
    await expect(other).rejects.toMatchObject({
      code: 'THORN_OPTION_INVALID',
      data: { option: 'serializeTransactions' },
      message: expect.stringMatching(/Give both the same value/),
    });
    await one.close();
  });
});
