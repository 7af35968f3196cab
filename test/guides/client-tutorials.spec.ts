import { type INestApplication, Logger } from '@nestjs/common';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { main } from '../../lib/cli/main.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { TutorialReader } from './reader.js';

const GENERATED = 'sample/prisma/src/generated/prisma';

interface Tutorial {
  readonly client: string;
  /** The migration of the table of orders, which the client's own tool writes. */
  readonly orders: string;
  /** The migration of the sample that has the same triggers. */
  readonly triggers: string;
  /** Does what the client's own commands would do, which are not installed here. */
  readonly run: (
    migrations: readonly string[],
    reader: TutorialReader,
    database: pg.Pool,
  ) => Promise<void>;
}

const tutorials: readonly Tutorial[] = [
  {
    client: 'prisma',
    orders: 'sample/prisma/prisma/migrations/20261129000000_orders/migration.sql',
    triggers: 'sample/prisma/prisma/migrations/20261129000001_triggers/migration.sql',
    run: async (migrations, reader, database) => {
      // `prisma migrate` runs the text of a file as one.
      await database.query(migrations.at(-1)!);
      cpSync(GENERATED, join(reader.root, 'src/generated/prisma'), { recursive: true });
    },
  },
  {
    client: 'drizzle',
    orders: 'sample/drizzle/drizzle/0000_orders.sql',
    triggers: 'sample/drizzle/drizzle/0001_triggers.sql',
    run: async (migrations, reader, database) => {
      const migrationsFolder = join(reader.directory, 'drizzle');
      mkdirSync(join(migrationsFolder, 'meta'), { recursive: true });
      const entries = migrations.map((_, idx) => ({ tag: `000${idx}`, when: idx, idx }));
      for (const [index, sql] of migrations.entries()) {
        writeFileSync(join(migrationsFolder, `${entries[index]!.tag}.sql`), sql);
      }
      writeFileSync(join(migrationsFolder, 'meta/_journal.json'), JSON.stringify({ entries }));
      await migrate(drizzle({ client: database }), { migrationsFolder });
    },
  },
];

/** Makes the table of orders, and then what each of the page's commands `thorn` prints. */
async function prepare(
  { orders, run }: Tutorial,
  reader: TutorialReader,
  { url }: FreshDatabase,
  database: pg.Pool,
): Promise<readonly string[]> {
  const migrations = [readFileSync(orders, 'utf8')];
  await run(migrations, reader, database);
  const commands = reader.commands
    .join('\n')
    .matchAll(/^npx thorn (\w+ postgres .+?) (?:>|--out) /gm);
  for (const [, command] of commands) {
    const given = command!.replace('postgres://user:password@localhost:5432/shop', url);
    migrations.push(await printedBy(given.split(' ')));
    await run(migrations, reader, database);
  }
  return migrations;
}

async function printedBy(command: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const code = await main(command, {
    out: (line) => void printed.push(line),
    bytes: () => undefined,
    note: (line) => void printed.push(line),
    hasColours: false,
    env: {},
    read: async () => Buffer.alloc(0),
    interrupted: new AbortController().signal,
  });
  expect(code, printed.join('\n')).toBe(0);
  return printed.join('\n');
}

describe.each(tutorials)('the tutorial with $client', (tutorial) => {
  const reader = new TutorialReader(`docs/tutorial/${tutorial.client}.md`);
  const lines: unknown[] = [];
  let place: FreshDatabase;
  let database: pg.Pool;
  let app: INestApplication;
  let receiver: ScriptedReceiver;
  let answers: readonly unknown[];
  let migrations: readonly string[];

  beforeAll(async () => {
    vi.spyOn(Logger.prototype, 'log').mockImplementation((text) => void lines.push(text));
    place = await freshPostgres();
    database = new pg.Pool({ connectionString: place.url });
    migrations = await prepare(tutorial, reader, place, database);
    vi.stubEnv('DATABASE_URL', place.url);
    vi.stubEnv('PORT', '0');
    receiver = await ScriptedReceiver.start();
    app = await reader.start();
    answers = await reader.follow(app, receiver, async (step) => {
      if (step.includes('reminder')) {
        await receiver.waitFor(({ event }) => event === 'order.reminded');
      }
      if (!step.includes('horse')) return;
      await receiver.waitFor(({ event }) => event === 'order.placed');
      const isLogged = async () => expect(await outcomes()).toEqual([{ status: 'succeeded' }]);
      await vi.waitFor(isLogged, { timeout: inject('patience') });
    });
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await app?.close();
    await receiver?.stop();
    await database?.end();
    await place?.drop();
    reader.end();
  });

  async function outcomes(): Promise<readonly object[]> {
    const { rows } = await database.query<object>('SELECT status FROM thorn.thorn_deliveries');
    return rows;
  }

  // Where the triggers have changed, run it with -u.
  it('has the triggers of the sample', async () => {
    await expect(`${migrations.at(-1)}\n`).toMatchFileSnapshot(resolve(tutorial.triggers));
  });

  it('installs what its files import', () => {
    expect(reader.installed).toEqual(expect.arrayContaining([...reader.imported]));
  });

  it('shows the line that the application logs at its start', () => {
    const { code } = reader.blocks.find(({ language }) => language === 'text')!;
    expect(lines).toContainEqual(expect.stringContaining(code.replace('…', '').trim()));
  });

  it('brings what was committed to the partner, signed, and nothing of what was rolled back', () => {
    const { secret } = reader.subscriber;
    const [placed, refused] = answers;

    expect(placed).toMatchObject({ id: 1, partner: 'ann', total: 4200 });
    expect(refused).toMatchObject({ statusCode: 404, message: 'There are no unicorns' });
    const [first, ...others] = receiver.received.filter(({ event }) => event === 'order.placed');
    expect(first!.isSignedWith(secret)).toBe(true);
    expect(first!.json).toMatchObject({
      type: 'order.placed',
      owner: 'ann',
      data: { id: 1, total: 4200 },
    });
    // The one that was asked for again.
    expect(others.map(({ id }) => id).filter((id) => id !== first!.id)).toEqual([]);
  });

  it('brings what is sent by hand', () => {
    const sent = receiver.received.find(({ event }) => event === 'order.reminded');
    expect(sent!.isSignedWith(reader.subscriber.secret)).toBe(true);
    expect(sent!.json).toMatchObject({ owner: 'ann', data: { id: 1 } });
  });

  it('lets the partner look and retry, and nobody else', async () => {
    const [delivery, retried, foreign] = answers.slice(-3);
    const { id: deliveryId, messageId } = delivery as Record<string, unknown>;

    expect(delivery).toMatchObject({ status: 'succeeded', attempts: [{ status: 204 }] });
    // Its state is that of the moment: it may have been sent again already.
    expect(retried).toMatchObject({ id: deliveryId });
    await expect.poll(() => receiver.received.filter(({ id }) => id === messageId)).toHaveLength(2);
    expect(foreign).toMatchObject({ status: 404 });
  });
});

it('has the schema in the tutorial that the client of the sample was generated from', () => {
  const { blocks } = new TutorialReader('docs/tutorial/prisma.md');
  const shown = blocks.find(({ language }) => language === 'prisma')!.code.replace(/^.*\n/, '');
  const text = readFileSync(join(GENERATED, 'internal/class.ts'), 'utf8');
  const generated = JSON.parse(/"inlineSchema": (".*"),/.exec(text)![1]!) as string;
  expect(shown).toBe(generated);
  expect(readFileSync('sample/prisma/prisma/schema.prisma', 'utf8')).toBe(generated);
});
