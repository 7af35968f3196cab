import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { Logger } from '@nestjs/common';
import { afterEach, expect, it, vi } from 'vitest';
import { PublicRecipientPolicy, RecipientPolicy } from '../../lib/extending/index.js';
import {
  defineTableEvents,
  Subscribers,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
  WebhookEvent,
  Webhooks,
} from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { dropTableTriggers } from '../../lib/typeorm/index.js';
import { findDialect } from '../../lib/database/dialect.js';
import { createDatabase, type DatabaseKind } from '../support/databases.js';

@Entity({ name: 'parcel' })
@Webhooks<Parcel>({ payload: ({ title }) => ({ title }) })
@WebhookEvent<Parcel>('parcel.sent', { on: 'create' })
class Parcel {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
}

/** A table without events of TypeORM. */
@Entity({ name: 'lines' })
class Line {
  @PrimaryGeneratedColumn() id!: number;
  @Column() sku!: string;
}

const lines = defineTableEvents<Line>('lines', {
  key: 'id',
  payload: ({ sku }) => ({ sku }),
  events: { 'line.added': { on: 'create' } },
});

const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

it.each<DatabaseKind>(['postgres', 'mariadb', 'file'])(
  'sends the events of rows that SQL by hand writes, of entities and tables, on %s',
  async (kind) => {
    const place = await createDatabase(kind);
    clean.push(() => place.drop());
    const receiver = await ScriptedReceiver.start();
    clean.push(() => receiver.stop());
    const options = { ...place.options, synchronize: true, autoLoadEntities: true };
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot(options),
        TypeOrmModule.forFeature([Parcel, Line]),
        ThornModule.forRoot({ capture: 'triggers', tables: [lines], makeTriggers: true }),
      ],
    })
      .overrideProvider(RecipientPolicy)
      .useValue(new PublicRecipientPolicy(LOOPBACK_RECIPIENTS))
      .compile();
    const dataSource = module.get(DataSource);
    const dialect = findDialect(dataSource.options.type);
    await module.init();
    clean.push(() => module.close());
    await module.get(Subscribers).create({ url: receiver.url, events: ['*'] });
    await dataSource.query(`INSERT INTO parcel (title) VALUES ('a')`);
    await dataSource.query(`INSERT INTO ${dialect.identifier('lines')} (sku) VALUES ('b')`);
    await dataSource.manager.save(Parcel, { title: 'c' });
    const webhooks = await receiver.waitFor(3);

    const sent = webhooks.map(({ event, body }) => {
      const { data } = JSON.parse(body.toString()) as { data: object };
      return `${event} ${JSON.stringify(data)}`;
    });
    expect(sent.sort()).toEqual([
      'line.added {"sku":"b"}',
      'parcel.sent {"title":"a"}',
      'parcel.sent {"title":"c"}',
    ]);
  },
);

it('names the prefix of its tables where triggers are missing, and the entity of a missing table', async () => {
  const place = await createDatabase('file');
  clean.push(() => place.drop());
  const options = { ...place.options, synchronize: true, autoLoadEntities: true };
  const compile = (thorn: ThornModuleOptions) =>
    Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...options, entityPrefix: 'app_' }),
        TypeOrmModule.forFeature([Parcel]),
        ThornModule.forRoot({ capture: 'triggers', ...thorn }),
      ],
    }).compile();
  const module = await compile({ makeTriggers: true });
  clean.push(() => module.close());
  await module.init();
  const dataSource = module.get(DataSource);
  await dropTableTriggers(dataSource.createQueryRunner(), [{ name: 'app_parcel' }]);
  await dataSource.query('SELECT * FROM app_thorn_changes');

  const next = await compile({});
  // Nest 11 cannot close an application whose start has failed.
  clean.push(() => next.get(DataSource).destroy());
  const command = '`npx thorn triggers sqlite app_parcel:id --prefix app_ --for typeorm --url …`';
  await expect(next.init()).rejects.toThrow(command);

  await dataSource.query('DROP TABLE app_parcel');
  const last = await compile({});
  clean.push(() => last.get(DataSource).destroy());
  await last.get(DataSource).query('DROP TABLE app_parcel');
  await expect(last.init()).rejects.toThrow(
    'Events of the entity Parcel: there is no table app_parcel.',
  );
});

it('refuses a send() in a transaction whose manager it is not given, and names the option manager', async () => {
  const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  clean.push(() => warn.mockRestore());
  const place = await createDatabase('file');
  clean.push(() => place.drop());
  const starting = async (thorn: ThornModuleOptions) => {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...place.options, synchronize: true, autoLoadEntities: true }),
        TypeOrmModule.forFeature([Parcel]),
        ThornModule.forRoot({ capture: 'triggers', makeTriggers: true, ...thorn }),
      ],
    }).compile();
    await module.init();
    const within = () =>
      module.get(DataSource).transaction(() => module.get(WebhookDispatcher).send('parcel.lost'));
    return { module, within };
  };
  const texts = () => warn.mock.calls.map(([text]) => String(text)).join();

  const required = await starting({});
  await expect(required.within()).rejects.toThrow(
    'Pass the manager that dataSource.transaction((manager) => …) gives you, as { manager }; or manager: null to send at once.',
  );
  expect(texts()).not.toContain('send() was called');
  await required.module.close();

  const optional = await starting({ transactions: 'optional' });
  clean.push(() => optional.module.close());
  await optional.within();
  expect(texts()).toContain('send() was called while a transaction is open on better-sqlite3');
  expect(texts()).toContain('pass the { manager } of dataSource.transaction(), { manager: ');
  expect(texts()).not.toContain('need neither');
});

it('names at the start a declared table that the option tables leaves out', async () => {
  const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  clean.push(() => warn.mockRestore());
  const place = await createDatabase('file');
  clean.push(() => place.drop());
  const parcels = defineTableEvents<Parcel>('parcel', {
    key: 'id',
    payload: ({ title }) => ({ title }),
    events: { 'parcel.left-out': { on: 'create' } },
  });
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({ ...place.options, synchronize: true, autoLoadEntities: true }),
      TypeOrmModule.forFeature([Parcel, Line]),
      ThornModule.forRoot({ tables: [lines], makeTriggers: true }),
    ],
  }).compile();
  clean.push(() => module.close());
  await module.init();

  const warnings = warn.mock.calls.map(([text]) => String(text));
  // Other files of this process declare tables as well.
  expect(warnings.find((text) => text.startsWith('The option tables does not name '))).toContain(
    parcels.declaration,
  );
});
