import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { Clock, Deliveries, Subscribers, ThornModule } from '../../lib/index.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import { DeliveryReports } from '../../lib/outbox/index.js';
import { newId } from '../../lib/common/id.js';
import { deliveryId, keyOf } from '../../lib/outbox/tables/keys.js';
import { MovableClock } from '../../lib/testing/index.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';

const DAY = 24 * 60 * 60_000;

describe.each(sqliteAndPostgres)('figures by day, on $database', ({ create }) => {
  let store: TestDatabase;
  let close: () => Promise<void>;
  afterEach(async () => {
    await close();
    await store.drop();
  });

  it('have counts, and percentiles of all requests together', async () => {
    store = await create();
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...store.options, entities: thornEntities, synchronize: true }),
        // Its day does not end meanwhile.
        ThornModule.forRoot({ clock: MovableClock }),
      ],
    }).compile();
    close = () => module.close();
    await module.init();
    const { id } = await module
      .get(Subscribers)
      .create({ url: 'https://example.com/', events: ['*'], owner: 'alice' });
    const now = module.get<MovableClock>(Clock).now();
    const today = now - (now % DAY);
    const write = (day: number, status: string, durations: readonly number[]) =>
      insert(module.get(DataSource), id, day, status, durations);

    await write(today, 'succeeded', Array<number>(60).fill(10));
    await write(today, 'failed', [...Array<number>(35).fill(30), 40, 50, 60, 70, 80]);
    await write(today - DAY, 'succeeded', [5]);
    await write(today - DAY, 'pending', [1000, 2000]);

    const history = await module
      .get(Deliveries)
      .history({ subscriberId: id, days: 3 }, { owner: 'alice' });
    const { total } = (await module
      .get(DeliveryReports)
      .figures({ by: 'day' }, { owner: 'alice' }))!;
    expect(total).toMatchObject({ attempts: 103, p50: 10 });
    expect(history).toEqual({
      rateLimited: 0,
      countedSince: today - 2 * DAY,
      total: {
        ...{ succeeded: 61, failed: 40, pending: 2 },
        // Each delivery has had one attempt, and those that wait have failed with it.
        ...{ attempts: 103, failedAttempts: 42, successRate: 61 / 103 },
        // Of 103 the 52nd and the 98th.
        ...{ p50: 10, p95: 50 },
      },
      days: [
        {
          ...{ day: today - 2 * DAY, isComplete: true, attempts: 0, failedAttempts: 0 },
          ...{ succeeded: 0, failed: 0, pending: 0, successRate: null, p50: null, p95: null },
        },
        {
          ...{ day: today - DAY, isComplete: true, attempts: 3, failedAttempts: 2 },
          ...{ succeeded: 1, failed: 0, pending: 2, successRate: 1 / 3, p50: 1000, p95: 2000 },
        },
        {
          ...{ day: today, isComplete: true, attempts: 100, failedAttempts: 40 },
          ...{ succeeded: 60, failed: 40, pending: 0, successRate: 0.6, p50: 10, p95: 30 },
        },
      ],
    });
  });
});

/** One delivery with one answered request for each duration, all at the beginning of a day. */
async function insert(
  dataSource: DataSource,
  subscriberId: string,
  at: number,
  status: string,
  durations: readonly number[],
): Promise<void> {
  await dataSource.getRepository('ThornDelivery').insert(
    durations.map((duration) => {
      const message = newId('msg_', at);
      return {
        id: keyOf('dlv_', deliveryId({ id: message, time: at }, subscriberId)),
        subscriberId: keyOf('sub_', subscriberId),
        messageId: keyOf('msg_', message),
        event: 'order.paid',
        status,
        reason: status === 'failed' ? 'exhausted' : null,
        ...{ attempts: 1, throttled: 0, requests: 1, host: null, lease: null, dueAt: null },
        ...{ attemptedAt: at, finishedAt: at, startedAt: at, duration },
        responseStatus: status === 'succeeded' ? 200 : 500,
      };
    }),
  );
}
