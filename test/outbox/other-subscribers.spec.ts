import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Subscribers, ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { StatementLogger } from '../support/apps/outbox-app.js';

const OTHERS = 10_000;

describe.each<{ kind: DatabaseKind }>([{ kind: 'file' }, { kind: 'postgres' }])(
  '10,000 subscribers to other events, on $kind',
  ({ kind }) => {
    const log = new StatementLogger();
    let place: TestDatabase;
    let app: INestApplication;
    let receiver: ScriptedReceiver;

    beforeEach(async () => {
      [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
      const module = await Test.createTestingModule({
        imports: [
          TypeOrmModule.forRoot({
            ...place.options,
            autoLoadEntities: true,
            synchronize: true,
            logger: log,
          }),
          ThornModule.forRoot({ recipients: LOOPBACK_RECIPIENTS, maxStaleness: 60_000 }),
        ],
      }).compile();
      app = module.createNestApplication();
      app.useLogger(false);
      await app.init();
    });

    afterEach(async () => {
      await app.close();
      await receiver.stop();
      await place.drop();
    });

    it('adds no row and no statement for each message', async () => {
      const { url } = receiver;
      const dataSource = app.get(DataSource);
      const { id } = await app.get(Subscribers).create({ url, events: ['something.else'] });
      const columns = dataSource.getMetadata('ThornSubscriber').columns;
      const names = columns.map(({ databaseName }) => databaseName);
      const series =
        kind === 'postgres'
          ? `generate_series(1, ${OTHERS}) AS s(n)`
          : `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${OTHERS}) SELECT n FROM s) AS s`;
      await dataSource.query(
        `INSERT INTO thorn_subscribers (${names.join(', ')}) SELECT ${names.map((name) => (name === 'id' ? `id || s.n` : name)).join(', ')} FROM thorn_subscribers, ${series} WHERE id = '${id}'`,
      );
      await app.get(Subscribers).create({ url, events: ['order.placed'] });
      const dispatcher = app.get(WebhookDispatcher);
      await dispatcher.send('order.placed');
      await receiver.waitFor(1);
      const rows = () => dataSource.query('SELECT * FROM thorn_deliveries');
      await vi.waitFor(async () => expect(await rows()).toHaveLength(1));
      log.statements.length = 0;
      for (let n = 0; n < 20; n++) await dispatcher.send('order.placed', { n });
      await receiver.waitFor(21);
      await vi.waitFor(async () => expect(await rows()).toHaveLength(21));
      expect(log.statements.filter((sql) => /thorn_subscribers/.test(sql))).toEqual([]);
      const own = log.statements.filter((sql) =>
        /INSERT .*INTO \S*thorn_(messages|deliveries)/.test(sql),
      );
      expect(own.length).toBeLessThanOrEqual(20 + 20);
    });
  },
);
