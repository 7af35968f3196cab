import { Logger, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { format } from 'prettier';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureSchema, fromPg } from '../../lib/sql/index.js';
import { freshPostgres } from '../services/database.js';
import { writeNestApplication } from '../support/fixtures/nest-application.js';
import { installSchematic, nestAdd } from '../support/nest-add.js';

const MODULE = 'src/webhooks/webhooks.module.ts';
const STYLE = { parser: 'typescript', singleQuote: true, trailingComma: 'all' } as const;

let folder: string;
const clean: (() => unknown)[] = [];
beforeEach(() => make(12));
afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

async function make(major: 11 | 12): Promise<void> {
  folder = writeNestApplication(major);
  const made = folder;
  clean.push(() => rmSync(made, { recursive: true, force: true }));
  await installSchematic(folder);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
const textOf = (path: string) => readFileSync(join(folder, path), 'utf8');

function depend(...names: readonly string[]): void {
  const dependencies = Object.fromEntries(names.map((name) => [name, '*']));
  write('package.json', JSON.stringify({ type: 'module', dependencies }));
}

/** The module of a sample, in a folder, imported by the application. */
function addDatabase(client: 'prisma' | 'drizzle'): void {
  const name = client === 'prisma' ? 'PrismaModule' : 'DatabaseModule';
  const file = client === 'prisma' ? 'prisma.module.ts' : 'database.module.ts';
  write(`src/database/${file}`, readFileSync(join('sample', client, 'src', file), 'utf8'));
  if (client === 'prisma') {
    const to = join(folder, 'src/database/generated');
    cpSync('sample/prisma/src/generated', to, { recursive: true });
  }
  const from = `./database/${file.replace('.ts', '.js')}`;
  const before = textOf('src/app.module.ts').replace('imports: []', `imports: [${name}]`);
  write('src/app.module.ts', `import { ${name} } from '${from}';\n${before}`);
}

/** @returns the lines that the application logs at its start */
async function started(): Promise<readonly string[]> {
  const lines: string[] = [];
  vi.spyOn(Logger.prototype, 'log').mockImplementation((text) => void lines.push(String(text)));
  clean.push(() => vi.restoreAllMocks());
  const path = join(folder, 'src/app.module.ts');
  const { AppModule } = (await import(/* @vite-ignore */ path)) as { AppModule: Type<unknown> };
  const app = await NestFactory.create(AppModule);
  await app.init();
  await app.close();
  return lines;
}

describe.each([11, 12] as const)('nest add in what `nest new` of Nest %i makes', (major) => {
  beforeEach(() => make(major));

  it('makes a module, adds it to the root module and prints two commands', async () => {
    const said = await nestAdd(folder);

    const ending = major === 12 ? '.js' : '';
    const root = textOf('src/app.module.ts');
    expect(root).toContain(
      `import { WebhooksModule } from './webhooks/webhooks.module${ending}';\n`,
    );
    expect(root).toContain('imports: [WebhooksModule],');
    expect(textOf(MODULE)).toContain('dispatch: inline(),');
    expect(textOf(MODULE)).toBe(await format(textOf(MODULE), STYLE));
    expect(said).toMatch(/Next:\n +npx thorn listen\n +npm run start:dev/);
    expect((await started()).join()).toContain('inline()');
  });

  it('changes nothing when it is run again', async () => {
    await nestAdd(folder);
    const before = [textOf(MODULE), textOf('src/app.module.ts')];
    expect(await nestAdd(folder)).toContain(`Nothing was changed: ${MODULE} exists already.`);
    expect([textOf(MODULE), textOf('src/app.module.ts')]).toEqual(before);
  });
});

describe('nest add', () => {
  it.each([
    ['prisma', '@prisma/client', 'Prisma'],
    ['drizzle', 'drizzle-orm', 'Drizzle'],
  ] as const)('names the client of an application of %s', async (client, dependency, name) => {
    depend(dependency, 'pg');
    addDatabase(client);
    const said = await nestAdd(folder);

    expect(said).toContain(`npx thorn migrations postgres --for ${client} --schema thorn`);
    expect(textOf(MODULE)).toBe(await format(textOf(MODULE), STYLE));
    const place = await freshPostgres();
    clean.push(() => place.drop());
    const pool = new pg.Pool({ connectionString: place.url });
    await ensureSchema(fromPg(pool), { schema: 'thorn' });
    await pool.end();
    vi.stubEnv('DATABASE_URL', place.url);
    clean.push(() => vi.unstubAllEnvs());
    const lines = (await started()).join('\n');
    expect(lines).toContain(`outbox() with a worker; ${name} (postgres by pg, `);
  });

  it('uses the data source of TypeORM, and says which options it needs', async () => {
    depend('@nestjs/typeorm', 'typeorm', 'better-sqlite3');
    const options = `{ type: 'better-sqlite3', database: ':memory:', autoLoadEntities: true, synchronize: true }`;
    const before = textOf('src/app.module.ts').replace(
      'imports: []',
      `imports: [TypeOrmModule.forRoot(${options})]`,
    );
    write('src/app.module.ts', `import { TypeOrmModule } from '@nestjs/typeorm';\n${before}`);
    const said = await nestAdd(folder);

    expect(said).toContain('autoLoadEntities');
    expect(textOf(MODULE)).toBe(await format(textOf(MODULE), STYLE));
    expect((await started()).join()).toContain('outbox() with a worker; TypeORM');
  });

  it.each([
    ['prisma', ['@prisma/client', '@prisma/adapter-better-sqlite3'], 'sqlite --for prisma'],
    ['prisma', ['@prisma/client', '@prisma/adapter-mariadb'], 'mariadb --for prisma'],
    ['drizzle', ['drizzle-orm', 'mysql2'], 'mariadb --for drizzle'],
    ['drizzle', ['drizzle-orm', 'postgres'], 'postgres --for drizzle --schema thorn'],
    ['none', ['kysely', 'pg'], 'postgres'],
    ['none', ['better-sqlite3'], 'sqlite'],
  ] as const)('prints the tables of %s with %j', async (client, packages, expected) => {
    depend(...packages);
    if (client !== 'none') addDatabase(client);
    expect(await nestAdd(folder)).toContain(`npx thorn migrations ${expected} > thorn.sql`);
  });

  it('leaves the root module as it is where it does not find the client, and says so', async () => {
    depend('@prisma/client', 'pg');
    const before = textOf('src/app.module.ts');
    const said = await nestAdd(folder);

    expect(said).toContain('has "export class PrismaService" and "class PrismaModule"');
    expect(textOf('src/app.module.ts')).toBe(before);
    expect(textOf(MODULE)).toContain('      // database: fromPrisma(PrismaService, {');
  });

  it.each([
    [
      'imports of a variable',
      '@Module({ imports: all })\nclass AppModule {}\n',
      'src/app.module.ts',
    ],
    ['no root module', null, 'your root module'],
  ])('says what to add where there is %s', async (_, decorated, where) => {
    if (decorated === null) rmSync(join(folder, 'src/app.module.ts'));
    else
      write(
        'src/app.module.ts',
        `import { Module } from '@nestjs/common';\nconst all = [];\n${decorated}`,
      );
    const before = decorated === null ? '' : textOf('src/app.module.ts');
    const said = await nestAdd(folder);

    expect(said).toContain(`Add WebhooksModule of ${MODULE} to the imports of ${where}.`);
    if (decorated === null) expect(existsSync(join(folder, 'src/app.module.ts'))).toBe(false);
    else expect(textOf('src/app.module.ts')).toBe(before);
  });
});
