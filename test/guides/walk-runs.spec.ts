import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { expect, it, vi } from 'vitest';
import { Deliveries, outbox, Subscribers, ThornModule } from '../../lib/index.js';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { thornEntities, thornMigrations } from '../../lib/typeorm/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { freshPostgres } from '../services/database.js';

@Entity()
@Webhooks<Ware>({ payload: ({ title }) => ({ title }) })
@WebhookEvent<Ware>('ware.created', { on: 'create' })
class Ware {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'text' }) title!: string;
}

/** Closures that run in place of the function that made them. */
const CLOSURES: Readonly<Record<string, string>> = {
  'typeorm/replaced-methods.ts replace': 'method',
  'capture/criteria/write-builders.ts interceptWrites': 'around',
};

it('calls every function that docs/architecture/walk.md lists, once an entity is saved', async () => {
  const page = readFileSync('docs/architecture/walk.md', 'utf8');
  const stops = [...page.matchAll(/^\d+\. `([^`]+)` `(?:[^`.]+\.)?([^`.]+)`/gm)].map(
    ([, file, name]) => `${file} ${CLOSURES[`${file} ${name}`] ?? name}`,
  );
  expect(stops.length).toBeGreaterThan(50);

  const { url, drop } = await freshPostgres();
  const receiver = await ScriptedReceiver.start();
  const { app, close } = await started(url);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  try {
    await app.get(Subscribers).create({ url: receiver.url, events: ['ware.*'] });
    const { manager } = app.get(DataSource);
    await session.post('Profiler.takePreciseCoverage');
    await manager.save(manager.create(Ware, { title: 'a' }));
    await vi.waitFor(async () => {
      const { items } = await app.get(Deliveries).list({}, 'any');
      expect(items.map(({ status }) => status)).toEqual(['succeeded']);
    });
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const called = new Set(
      result.flatMap(({ url: file, functions }) =>
        functions
          .filter(({ ranges }) => ranges[0]!.count > 0)
          .map(({ functionName }) => `${file.split('/lib/').at(-1)} ${functionName}`),
      ),
    );
    expect(stops.filter((stop) => !called.has(stop))).toEqual([]);
  } finally {
    session.disconnect();
    await close();
    await receiver.stop();
    await drop();
  }
});

async function started(url: string) {
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url,
        entities: [Ware, ...thornEntities],
        synchronize: true,
        migrations: thornMigrations,
      }),
      ThornModule.forRoot({ recipients: LOOPBACK_RECIPIENTS, dispatch: outbox() }),
    ],
  }).compile();
  const app = module.createNestApplication();
  app.useLogger(false);
  await app.init();
  return { app, close: () => app.close() };
}
