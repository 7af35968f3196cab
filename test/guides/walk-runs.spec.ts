import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { setTimeout } from 'node:timers/promises';
import type { CanActivate, INestApplication, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import pg from 'pg';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { expect, it, vi } from 'vitest';
import {
  defineEvents,
  outbox,
  Subscribers,
  ThornModule,
  WebhookDispatcher,
} from '../../lib/index.js';
import { WebhookEvent, Webhooks } from '../../lib/capture/index.js';
import { fromPrisma, type PrismaClientLike, type PrismaTransaction } from '../../lib/sql/index.js';
import { thornEntities, thornMigrations } from '../../lib/typeorm/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { freshPostgres } from '../services/database.js';
import { openBy } from '../support/client-kind.js';
import { migrate } from '../support/sql-clients.js';

@Entity()
@Webhooks<Ware>({ payload: ({ title }) => ({ title }) })
@WebhookEvent<Ware>('ware.created', { on: 'create' })
class Ware {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: 'text' }) title!: string;
}

const EVENTS = defineEvents({ 'stock.counted': { description: 'Somebody has counted the stock' } });

class Anyone implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

interface Prisma extends PrismaClientLike {
  $transaction(work: (tx: PrismaTransaction) => Promise<unknown>): Promise<unknown>;
  $disconnect(): Promise<void>;
}

/** A way through the library, on which a page lists all functions that run. */
interface Walk {
  readonly page: string;
  /** Folders where nothing runs by a timer: what the worker and the pool of connections run besides differs each time. */
  readonly untimed: RegExp;
  /** True: the page explains stops of the way, which have numbers. */
  readonly hasStops?: true;
  run(url: string, receiver: string): Promise<Running>;
}

interface Running {
  /** Takes the way. */
  act(): Promise<unknown>;
  close(): Promise<void>;
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

const LIST = /(?<=^## Everything that runs\n\n[^]*?)(?:^- `.*\n)+/m;
const LIB = `${process.cwd()}/lib/`;

/** Set by `npm run docs:walk`: writes the list into the page instead of comparing it. */
const isWritten = process.env['THORN_WRITE_WALK'] !== undefined;

const WALKS: readonly Walk[] = [
  {
    page: 'docs/architecture/walk.md',
    hasStops: true,
    untimed: /^(?:capture|typeorm|dispatch|message|signing)\//,
    async run(url, receiver) {
      const orm = TypeOrmModule.forRoot({
        type: 'postgres',
        url,
        entities: [Ware, ...thornEntities],
        synchronize: true,
        migrations: thornMigrations,
      });
      const app = await started([orm], {});
      await app.get(Subscribers).create({ url: receiver, events: ['ware.*'] });
      const { manager } = app.get(DataSource);
      const act = async () => {
        await manager.save(manager.create(Ware, { title: 'a' }));
        await isDelivered((sql) => manager.query(sql));
      };
      return { act, close: () => app.close() };
    },
  },
  {
    page: 'docs/architecture/walk-send.md',
    untimed: /^(?:sql|dispatch|message|signing)\//,
    async run(url, receiver) {
      await migrate(url);
      const prisma = (await openBy('prisma-7')).openPrisma!(url, 2) as Prisma;
      const app = await started([], {
        database: fromPrisma(prisma, { url }),
        events: EVENTS,
      });
      await app.get(Subscribers).create({ url: receiver, events: ['stock.*'] });
      // Not by the library, whose own functions would be called.
      const pool = new pg.Pool({ connectionString: url });
      const act = async () => {
        const send = (tx: PrismaTransaction) =>
          app.get(WebhookDispatcher).send('stock.counted', { pieces: 5 }, { tx });
        await prisma.$transaction(send);
        await isDelivered(async (sql) => (await pool.query<object>(sql)).rows);
      };
      const close = async () => {
        await Promise.all([app.close(), pool.end()]);
        await prisma.$disconnect();
      };
      return { act, close };
    },
  },
  {
    page: 'docs/architecture/walk-api.md',
    untimed: /^(?:api|subscriber|event|signing|errors)\//,
    async run(url, receiver) {
      const orm = TypeOrmModule.forRoot({
        type: 'postgres',
        url,
        entities: thornEntities,
        synchronize: true,
      });
      const app = await started([orm], {
        // The timers of a worker would run functions that are no part of the request.
        dispatch: outbox({ worker: false }),
        api: { guards: [Anyone], owner: () => 'ann' },
        events: EVENTS,
      });
      await app.listen(0, '127.0.0.1');
      const hooks = `${await app.getUrl()}/hooks`;
      const act = async () => {
        const response = await fetch(hooks, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ url: receiver, events: ['stock.*'] }),
        });
        expect(response.status).toBe(201);
      };
      return { act, close: () => app.close() };
    },
  },
];

it.each(WALKS)('lists in $page all that runs', async ({ page: path, untimed, hasStops, run }) => {
  const page = readFileSync(path, 'utf8');
  const stops = [...page.matchAll(/^\d+\. `([^`]+)` `(?:[^`.]+\.)?([^`.]+)`/gm)].map(
    ([, file, name]) => `${file} ${CLOSURES[`${file} ${name}`] ?? name}`,
  );
  if (hasStops === true) expect(stops).not.toEqual([]);
  const { url, drop } = await freshPostgres();
  const receiver = await ScriptedReceiver.start();
  const { act, close } = await run(url, receiver.url);
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
    await called();
    await act();
    await setTimeout(SETTLED);
    const onTheWay = await called();
    // Timers of the worker run at any time.
    await setTimeout(IDLE);
    const whenIdle = await called();

    if (isWritten) writeFileSync(path, page.replace(LIST, listOf(onTheWay)));
    expect(stops.filter((stop) => !onTheWay.has(stop))).toEqual([]);
    if (!isWritten) {
      const listed = new Set(functionsIn(LIST.exec(page)?.[0] ?? ''));
      const missing = [...onTheWay].filter(
        (one) => untimed.test(one) && !listed.has(one) && !whenIdle.has(one),
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

async function isDelivered(query: (sql: string) => Promise<readonly object[]>): Promise<void> {
  await vi.waitFor(async () => {
    expect(await query("SELECT 1 FROM thorn_deliveries WHERE status = 'succeeded'")).toHaveLength(
      1,
    );
  });
}

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

async function started(
  imports: NonNullable<ModuleMetadata['imports']>,
  options: Parameters<typeof ThornModule.forRoot>[0],
): Promise<INestApplication> {
  const thorn = ThornModule.forRoot({
    recipients: LOOPBACK_RECIPIENTS,
    dispatch: outbox(),
    ...options,
  });
  const module = await Test.createTestingModule({ imports: [...imports, thorn] }).compile();
  const app = module.createNestApplication();
  app.useLogger(false);
  await app.init();
  return app;
}
