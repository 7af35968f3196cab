import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { setTimeout } from 'node:timers/promises';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { expect, it, vi } from 'vitest';
import { outbox, Subscribers, ThornModule } from '../../lib/index.js';
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
  'typeorm/criteria/write-builders.ts interceptWrites': 'around',
};

/** Milliseconds in which listeners have heard of an outcome that is written. */
const SETTLED = 300;

/** Milliseconds in which the worker, with nothing to do, runs each of its timers. */
const IDLE = 3_000;

/** Where nothing runs by a timer: what the worker and the pool of connections run besides differs each time. */
const UNTIMED = /^(?:capture|typeorm|dispatch|message|signing)\//;

const PAGE = 'docs/architecture/walk.md';
const LIST = /(?<=^## Everything that runs\n\n[^]*?)(?:^- `.*\n)+/m;
const LIB = `${process.cwd()}/lib/`;

/** Set by `npm run docs:walk`: writes the list into the page instead of comparing it. */
const isWritten = process.env['THORN_WRITE_WALK'] !== undefined;

it('is all in docs/architecture/walk.md, when an entity is saved', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const stops = [...page.matchAll(/^\d+\. `([^`]+)` `(?:[^`.]+\.)?([^`.]+)`/gm)].map(
    ([, file, name]) => `${file} ${CLOSURES[`${file} ${name}`] ?? name}`,
  );
  expect(stops).not.toEqual([]);

  const { url, drop } = await freshPostgres();
  const receiver = await ScriptedReceiver.start();
  const { app, close } = await started(url);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  /** The functions of lib that were called since this was called last. */
  const called = async (): Promise<ReadonlySet<string>> => {
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const functions = result
      .filter(({ url: file }) => file.includes(LIB) && !file.includes(`${LIB}testing/`))
      .flatMap(({ url: file, functions: all }) =>
        all
          .filter(({ ranges, functionName }) => ranges[0]!.count > 0 && /^[^<]/.test(functionName))
          .map(({ functionName }) => `${file.split(LIB).at(-1)} ${functionName}`),
      );
    return new Set(functions);
  };
  try {
    await app.get(Subscribers).create({ url: receiver.url, events: ['ware.*'] });
    const { manager } = app.get(DataSource);
    await called();
    await manager.save(manager.create(Ware, { title: 'a' }));
    // Not by the library, whose own functions would be called.
    await vi.waitFor(async () => {
      expect(
        await manager.query("SELECT 1 FROM thorn_deliveries WHERE status = 'succeeded'"),
      ).toHaveLength(1);
    });
    await setTimeout(SETTLED);
    const onTheWay = await called();
    // Timers of the worker run at any time.
    await setTimeout(IDLE);
    const whenIdle = await called();

    if (isWritten) writeFileSync(PAGE, page.replace(LIST, listOf(onTheWay)));
    expect(stops.filter((stop) => !onTheWay.has(stop))).toEqual([]);
    if (!isWritten) {
      const listed = new Set(functionsIn(LIST.exec(page)?.[0] ?? ''));
      const missing = [...onTheWay].filter(
        (one) => UNTIMED.test(one) && !listed.has(one) && !whenIdle.has(one),
      );
      expect(missing, 'run, and not listed: npm run docs:walk').toEqual([]);
      expect(stops.filter((stop) => !listed.has(stop))).toEqual([]);
    }
  } finally {
    session.disconnect();
    await close();
    await receiver.stop();
    await drop();
  }
});

function listOf(called: ReadonlySet<string>): string {
  const files = new Map<string, string[]>();
  for (const one of [...called].sort()) {
    const [file, name] = one.split(/ (.*)/s) as [string, string];
    files.set(file, [...(files.get(file) ?? []), name]);
  }
  return [...files]
    .map(([file, names]) => `- \`${file}\`: ${names.map((name) => `\`${name}\``).join(', ')}\n`)
    .join('');
}

function functionsIn(list: string): string[] {
  return [...list.matchAll(/^- `([^`]+)`: (.*)$/gm)].flatMap(([, file, names]) =>
    [...names!.matchAll(/`([^`]+)`/g)].map(([, name]) => `${file} ${name}`),
  );
}

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
