import { Logger, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { format } from 'prettier';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../lib/cli/main.js';
import { ensureSchema, fromPg } from '../../lib/sql/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { writeNestApplication } from '../support/fixtures/nest-application.js';

const init = (args: readonly string[], answers: readonly string[] = []) =>
  thorn(['init', ...args], answers);

async function thorn(args: readonly string[], answers: readonly string[] = []) {
  const left = [...answers];
  const [printed, notes, questions]: [string[], string[], string[]] = [[], [], []];
  const code = await main(args, {
    out: (line) => void printed.push(line),
    bytes: () => undefined,
    note: (line) => void notes.push(line),
    ask: async (question) => {
      questions.push(question);
      return left.shift() ?? '';
    },
    hasColours: false,
    env: {},
    read: async () => Buffer.alloc(0),
    interrupted: new AbortController().signal,
  });
  return { code, notes: notes.join('\n'), questions, printed: printed.join('\n') };
}

const { files: packed } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly files: readonly string[];
};

/** The guides that a message leads to, as the installed package has them. */
function guidesIn(text: string): readonly string[] {
  return [...text.matchAll(/(\S*?)(docs\/\S+\.md)/g)].map(([, folder, guide]) =>
    folder === 'node_modules/nestjs-thorn/' ? guide! : `${folder}${guide}`,
  );
}

const GUARD = `export class AuthGuard implements CanActivate {
  canActivate() { return true; }
}`;
const MODULE = 'src/webhooks/webhooks.module.ts';

let folder: string;
let place: FreshDatabase;
beforeAll(async () => {
  place = await freshPostgres();
  const pool = new pg.Pool({ connectionString: place.url });
  await ensureSchema(fromPg(pool), { schema: 'thorn' });
  await pool.end();
});
afterAll(async () => {
  await place.drop();
});
beforeEach(() => {
  folder = writeNestApplication(12);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
const textOf = (path: string) => readFileSync(join(folder, path), 'utf8');
const depend = (...names: readonly string[]) =>
  write(
    'package.json',
    JSON.stringify({
      type: 'module',
      dependencies: Object.fromEntries(names.map((name) => [name, '*'])),
    }),
  );

/** The module of a sample, imported by the application; by default it is global. */
function addModule(client: 'prisma' | 'drizzle', isGlobal = true): void {
  const name = client === 'prisma' ? 'PrismaModule' : 'DatabaseModule';
  const file = client === 'prisma' ? 'prisma.module.ts' : 'database.module.ts';
  const text = readFileSync(join('sample', client, 'src', file), 'utf8');
  write(`src/database/${file}`, isGlobal ? text : text.replace('@Global()\n', ''));
  if (client === 'prisma') {
    cpSync('sample/prisma/src/generated', join(folder, 'src/database/generated'), {
      recursive: true,
    });
  }
  const from = `./database/${file.replace('.ts', '.js')}`;
  const before = textOf('src/app.module.ts').replace('imports: []', `imports: [${name}]`);
  write('src/app.module.ts', `import { ${name} } from '${from}';\n${before}`);
}

/** @returns the line that the application logs at its start, and what a request of the example is answered with */
async function started(): Promise<readonly [string, number, string]> {
  vi.stubEnv('DATABASE_URL', place.url);
  const lines: string[] = [];
  vi.spyOn(Logger.prototype, 'log').mockImplementation((text) => void lines.push(String(text)));
  const path = join(folder, 'src/app.module.ts');
  const { AppModule } = (await import(/* @vite-ignore */ path)) as { AppModule: Type<unknown> };
  const app = await NestFactory.create(AppModule, { rawBody: true });
  await app.listen(0, '127.0.0.1');
  const answer = await fetch(`${await app.getUrl()}/greetings`, { method: 'POST' });
  const text = await answer.text();
  await app.close();
  return [lines.find((line) => line.startsWith('Started:'))!, answer.status, text];
}

describe.each([
  ['prisma', '@prisma/client', 'Prisma'],
  ['drizzle', 'drizzle-orm', 'Drizzle'],
] as const)('thorn init in an application of %s', (client, dependency, name) => {
  beforeEach(() => depend(dependency));

  it.each([true, false])('names the client that it finds; in a global module: %s', async (is) => {
    addModule(client, is);
    const { code, notes } = await init([folder, '--yes']);

    expect(code).toBe(0);
    expect(notes).toContain(`npx thorn migrations postgres --for ${client} --schema thorn`);
    expect(guidesIn(notes)).toEqual(['docs/migrations.md']);
    expect(packed).toContain('docs/migrations.md');
    const style = { parser: 'typescript', singleQuote: true, trailingComma: 'all' } as const;
    expect(textOf(MODULE)).toBe(await format(textOf(MODULE), style));
    const [line, ...answer] = await started();
    expect(line).toContain(`strategy outbox() with a worker; ${name} (postgres by pg, `);
    expect(answer).toEqual([201, '{"text":"Hello"}']);
    // Stored in the transaction of the request.
    const example = textOf('src/webhooks/greetings.controller.ts');
    expect(example).toContain("await this.dispatcher.send('greeting.sent', greeting, { tx });");
    expect(example).toBe(await format(example, style));
  });

  it('names it beside a guard as well, and asks first', async () => {
    addModule(client);
    write('src/auth.guard.ts', GUARD);
    const { questions } = await init([folder, '--guard', 'AuthGuard'], ['', '', '', '', 'y']);

    expect(questions[0]).toBe(`The database client (${client}) [${client}]: `);
    expect(textOf(MODULE)).toContain(`database: from${name}(`);
  });

  it('declares events on a table, whose triggers it says how to make', async () => {
    addModule(client);
    write('src/auth.guard.ts', GUARD);
    const table = client === 'prisma' ? '"Order"' : 'orders';
    if (client === 'prisma') {
      write('prisma/schema.prisma', readFileSync('sample/prisma/prisma/schema.prisma', 'utf8'));
    } else cpSync('sample/drizzle/src/schema.ts', join(folder, 'src/database/schema.ts'));
    const entity = client === 'prisma' ? 'Order' : 'orders';
    const options = ['--entity', entity, '--guard', 'AuthGuard', '--owner', 'partner'];
    const { code, notes } = await init([folder, '--yes', ...options]);

    expect([code, notes]).toEqual([0, expect.not.stringContaining('dispatcher.send')]);
    const subject = entity.toLowerCase();
    const declared = textOf(`src/webhooks/${subject}.events.ts`);
    const style = { parser: 'typescript', singleQuote: true, trailingComma: 'all' } as const;
    expect(declared).toBe(await format(declared, style));
    expect(declared).toContain(`'${subject}.changed': { on: 'change' }`);
    expect(textOf(MODULE)).toContain(`tables: [${subject}Events]`);
    // What a user does then.
    const pool = new pg.Pool({ connectionString: place.url });
    await pool.query(`CREATE TABLE ${table} (id serial PRIMARY KEY, partner text, total int)`);
    const [, command = ''] = /^npx thorn (triggers .*) > triggers\.sql$/m.exec(notes) ?? [];
    const { printed } = await thorn(command.replace('"$DATABASE_URL"', place.url).split(' '));
    await pool.query(printed);
    expect((await started())[0]).toContain('; 3 events; ');
    const { rows } = await pool.query('SELECT name FROM thorn.thorn_captured_tables');
    expect(rows).toContainEqual({ name: entity });
    await pool.end();
  });

  it.each([true, false])('declares an event; in a global module: %s', async (is) => {
    addModule(client, is);
    write('src/auth.guard.ts', GUARD);
    const { notes } = await init([folder, '--yes', '--guard', 'AuthGuard']);

    expect(notes).toContain("await dispatcher.send('example.created', { id }, { tx, owner });");
    expect((await started())[0]).toContain('; 1 event; ');
  });

  it.each([
    ['is not there', '', /nothing was changed: no exported .*nestjs-thorn\/docs\/tutorial\//],
    ['is exported by no module', 'exports: [', /no module exports \w+, .* exports: \[\w+\]/],
  ])('says what to write where the client %s', async (_, left, why) => {
    if (left !== '') {
      addModule(client);
      const file = `src/database/${client === 'prisma' ? 'prisma' : 'database'}.module.ts`;
      write(file, textOf(file).replace(/, exports: \[\w+\]|\s+exports: \[\w+\],/, ''));
    }
    const { code, notes } = await init([folder, '--yes']);
    expect([code, notes]).toEqual([2, expect.stringMatching(why)]);
    expect(guidesIn(notes).filter((guide) => !packed.includes(guide))).toEqual([]);
    expect(existsSync(join(folder, MODULE))).toBe(false);
  });
});

describe('thorn init on another database than PostgreSQL', () => {
  const schema = (provider: string) => `datasource db {\n  provider = "${provider}"\n}`;
  const driver = (name: string) => () => {
    const file = 'src/database/database.module.ts';
    write(file, textOf(file).replace('drizzle-orm/node-postgres', `drizzle-orm/${name}`));
  };
  const URL = 'url: process.env.DATABASE_URL';
  /** However it is broken into lines. */
  const squeezed = (text: string) => text.replaceAll(/\s+/g, '').replaceAll(/,(?=[)}])/g, '');

  it.each([
    [
      'prisma',
      'mysql',
      () => write('prisma/schema.prisma', schema('mysql')),
      'mariadb',
      `{ ${URL} }`,
    ],
    [
      'prisma',
      'sqlite',
      () => write('prisma/schema.prisma', schema('sqlite')),
      'sqlite',
      `{ ${URL} }`,
    ],
    ['drizzle', 'mysql2', driver('mysql2'), 'mariadb', ''],
    ['drizzle', 'better-sqlite3', driver('better-sqlite3'), 'sqlite', ''],
    ['drizzle', 'postgres-js', driver('postgres-js'), 'postgres', `{ ${URL}, schema: 'thorn' }`],
  ] as const)('sets %s up for %s', async (client, _, make, system, options) => {
    depend(client === 'prisma' ? '@prisma/client' : 'drizzle-orm');
    addModule(client);
    make();
    const { code, notes } = await init([folder, '--yes']);

    expect(code).toBe(0);
    const schema = system === 'postgres' ? ' --schema thorn' : '';
    expect(notes).toContain(`npx thorn migrations ${system} --for ${client}${schema} > thorn.sql`);
    const call =
      client === 'prisma'
        ? `fromPrisma(PrismaService, ${options})`
        : `fromDrizzle(DATABASE${options === '' ? '' : `, ${options}`})`;
    expect(squeezed(textOf(MODULE))).toContain(squeezed(`database: ${call},`));
  });
});

it.each([
  [
    'prisma',
    'prisma/schema.prisma',
    `model Shop {
  id Int @id
}
model OrderLine {
  shopId Int    @map("shop_id")
  number Int    // the key's second part
  meta   Json   @default("{}")
  shop   Shop   @relation(fields: [shopId], references: [id])
  @@id([shopId, number])
  @@map("order_lines")
}
`,
    'OrderLine',
    'order_lines:shop_id+number',
    `defineTableEvents<OrderLine>('order_lines', {
  key: ['shopId', 'number'],
  columns: { shopId: 'shop_id' },`,
  ],
  [
    'drizzle',
    'src/database/schema.ts',
    `export const lines = pgTable('order_lines', {
  id: serial('line_id').primaryKey(),
  text: text(),
});
`,
    'lines',
    'order_lines:line_id',
    'defineTableEvents(lines, {\n  // What',
  ],
] as const)(
  'thorn init takes names in the database from %s',
  async (client, file, schema, entity, operand, declared) => {
    depend(client === 'prisma' ? '@prisma/client' : 'drizzle-orm');
    addModule(client);
    write(file, schema);
    const { code, notes } = await init([folder, '--yes', '--entity', entity]);

    expect([code, notes]).toEqual([
      0,
      expect.stringContaining(`npx thorn triggers postgres ${operand} --schema thorn`),
    ]);
    const name = client === 'prisma' ? 'order-line' : 'lines';
    expect(textOf(`src/webhooks/${name}.events.ts`)).toContain(declared);
  },
);

describe('thorn init', () => {
  it('takes TypeORM where it is among the packages, or is named', async () => {
    depend('typeorm', '@prisma/client');
    expect((await init([folder, '--yes'])).code).toBe(0);
    expect(textOf(MODULE)).toContain('dataSources: []');
    await init([folder, '--undo', '--yes']);
    depend('@prisma/client');
    expect((await init([folder, '--yes', '--client', 'typeorm'])).code).toBe(0);
    expect(textOf(MODULE)).not.toContain('database:');
  });

  it.each<[string, readonly string[], string]>([
    [
      'another client',
      ['--client', 'mongoose'],
      '--client must be one of prisma, drizzle, typeorm',
    ],
    [
      'a model that is not there',
      ['--client', 'prisma', '--entity', 'Order'],
      '--entity Order is not an exported entity of the application; there are: none',
    ],
    ['two clients', [], 'package.json has prisma and drizzle: name one of them by --client'],
  ])('refuses %s', async (_, options, why) => {
    depend('@prisma/client', 'drizzle-orm');
    addModule('prisma');
    const { code, notes } = await init([folder, '--yes', ...options]);
    expect([code, notes]).toEqual([2, expect.stringContaining(why)]);
    expect(existsSync(join(folder, MODULE))).toBe(false);
  });
});
