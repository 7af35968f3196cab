import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { Deliveries, outbox, ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { thornMigrations } from '../../lib/typeorm/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { freshMariadb, freshPostgres } from '../services/database.js';

describe.each([
  {
    database: 'SQLite',
    place: async () => ({
      options: { type: 'better-sqlite3', database: ':memory:' } as TypeOrmModuleOptions,
      drop: async () => {},
    }),
  },
  {
    database: 'PostgreSQL',
    place: async () => {
      const { url, drop } = await freshPostgres();
      return { options: { type: 'postgres', url } as TypeOrmModuleOptions, drop };
    },
  },
  {
    database: 'MariaDB',
    place: async () => {
      const { url, drop } = await freshMariadb();
      return { options: { type: 'mariadb', url } as TypeOrmModuleOptions, drop };
    },
  },
])('an application with an entityPrefix on $database', ({ place }) => {
  let app: INestApplication;
  let receiver: ScriptedReceiver;
  let drop: () => Promise<void>;

  afterEach(async () => {
    await app.close();
    await receiver.stop();
    await drop();
  });

  it('subscribes, delivers and retries with the tables that the migrations made', async () => {
    const database = await place();
    ({ drop } = database);
    receiver = await ScriptedReceiver.start();
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          entityPrefix: 'my_',
          autoLoadEntities: true,
          migrations: thornMigrations,
          migrationsRun: true,
        }),
        ThornModule.forRoot({
          recipients: LOOPBACK_RECIPIENTS,
          dispatch: outbox({ pollInterval: 25 }),
          retries: { schedule: [10] },
          api: { guards: [], unprotected: true, owner: () => 'ann' },
        }),
      ],
    }).compile();
    app = module.createNestApplication();
    app.useLogger(false);
    await app.init();

    receiver.answer(500);
    await request(app.getHttpServer())
      .post('/hooks')
      .set('Idempotency-Key', 'once')
      .send({ url: receiver.url, event: 'order.*' })
      .expect(201);
    await app.get(WebhookDispatcher).send('order.placed', { id: 7 }, { owner: 'ann' });
    await receiver.waitFor(2);

    const deliveries = app.get(Deliveries);
    await expect
      .poll(async () => (await deliveries.list({ status: 'succeeded' }, 'any')).items)
      .toHaveLength(1);
    const rows = async (table: string) => app.get(DataSource).query(`SELECT * FROM my_${table}`);
    expect(await rows('thorn_messages')).toHaveLength(1);
    expect(await rows('thorn_attempts')).toHaveLength(1);
    expect(await rows('thorn_idempotency_keys')).toHaveLength(1);
  });
});
