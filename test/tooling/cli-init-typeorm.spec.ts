import { Logger, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../lib/cli/main.js';
import { writeShop } from '../support/fixtures/nest-shop.js';

const MODULE = 'src/app.module.ts';
const SETUP = ['--yes', '--entity', 'Order', '--guard', 'AuthGuard', '--user', 'user.sub'];
const OWN_MIGRATION = `import { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateOrders1700000000000 implements MigrationInterface {
  name = 'CreateOrders1700000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE TABLE "order" (id integer PRIMARY KEY, item varchar NOT NULL, customerId varchar NOT NULL)',
    );
  }

  async down(): Promise<void> {}
}
`;

let folder: string;
beforeEach(() => {
  folder = writeShop(12);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function init(...args: readonly string[]) {
  const notes: string[] = [];
  const code = await main(['init', folder, ...args], {
    out: () => undefined,
    bytes: () => undefined,
    note: (line) => void notes.push(line),
    ask: async () => '',
    hasColours: false,
    env: {},
    read: async () => Buffer.alloc(0),
    interrupted: new AbortController().signal,
  });
  return { code, notes: notes.join('\n') };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
const textOf = (path: string) => readFileSync(join(folder, path), 'utf8');

/** Gives the application other options of TypeORM than the usual ones. */
function setOptions(options: string): void {
  const usual = /autoLoadEntities: true,\s+synchronize: true,/;
  write(MODULE, textOf(MODULE).replace(usual, options));
}

/** Starts the application, and saves an order. @returns the names of the messages that are stored, and of migrations */
async function started(): Promise<readonly [readonly string[], readonly string[]]> {
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  const path = join(folder, MODULE);
  const { AppModule } = (await import(/* @vite-ignore */ path)) as { AppModule: Type<unknown> };
  const app = await NestFactory.create(AppModule, { logger: ['error'], abortOnError: false });
  await app.init();
  const source = app.get(DataSource);
  await source.getRepository('Order').save({ item: 'tea', customerId: 'ann' });
  const tables = await source.query<{ name: string }[]>(
    `SELECT name FROM sqlite_master WHERE name = 'thorn_messages'`,
  );
  const migrations = source.migrations.map(({ name }) => name!);
  await app.close();
  return [tables.map(({ name }) => name), migrations];
}

describe('thorn init in an application of TypeORM', () => {
  it.each([
    ['a list', 'entities: [Order],', 'entities: [Order, ...thornEntities],'],
    [
      'a list of many lines',
      'entities: [\n        // Ours.\n        Order,\n      ],',
      'Order,\n        ...thornEntities,\n      ],',
    ],
  ])('adds its entities to %s', async (_, given, expected) => {
    setOptions(`${given} synchronize: true,`);
    expect(await init(...SETUP)).toMatchObject({ code: 0 });

    const text = textOf(MODULE);
    expect(text).toContain(expected);
    expect(text).toContain("import { thornEntities } from 'nestjs-thorn/typeorm';");
    expect(await started()).toEqual([['thorn_messages'], []]);
  });

  it.each([
    ['a variable', 'entities: all, synchronize: true,', 'src/app.module.ts has entities'],
    ['nothing that it finds', 'synchronize: true,', 'no options of TypeORM'],
  ])('says what to write where the entities are %s', async (_, options, why) => {
    setOptions(options);
    const before = textOf(MODULE);
    const { code, notes } = await init(...SETUP);

    expect([code, notes]).toEqual([2, expect.stringContaining(`nothing was changed: ${why}`)]);
    expect(notes).toContain('autoLoadEntities: true');
    expect(notes).toContain(`import { thornEntities } from 'nestjs-thorn/typeorm'`);
    expect(textOf(MODULE)).toBe(before);

    // The reader does as it says.
    const done = before.replace(options, 'entities: [...all, ...thornEntities],');
    write(MODULE, `import { thornEntities } from 'nestjs-thorn/typeorm';\n${done}`);
    expect(await init(...SETUP)).toMatchObject({ code: 0 });
  });

  it('adds its migrations to those of the application', async () => {
    write('src/migrations/1700000000000-orders.ts', OWN_MIGRATION);
    setOptions(
      'autoLoadEntities: true, migrations: [CreateOrders1700000000000], migrationsRun: true,',
    );
    const imported = `import { CreateOrders1700000000000 } from './migrations/1700000000000-orders.js';`;
    write(MODULE, `${imported}\n${textOf(MODULE)}`);
    const { code, notes } = await init(...SETUP);

    expect([code, notes]).toEqual([0, expect.stringContaining('Run your migrations')]);
    expect(notes).not.toContain('thorn migrations');
    expect(await started()).toEqual([
      ['thorn_messages'],
      ['CreateOrders1700000000000', expect.stringMatching(/^CreateThornTables/)],
    ]);
  });

  it('adds them to the data source of the command as well, beside the sources', async () => {
    const before = `import { DataSource } from 'typeorm';

export default new DataSource({
  type: 'better-sqlite3',
  database: 'shop.sqlite',
  entities: ['dist/**/*.entity.js'],
  migrations: ['dist/migrations/*.js'],
});
`;
    write('data-source.ts', before);
    setOptions(`entities: [Order], migrations: ['dist/migrations/*.js'],`);
    expect(await init(...SETUP)).toMatchObject({ code: 0 });

    expect(textOf('data-source.ts')).toContain(`entities: ['dist/**/*.entity.js'],`);
    expect(textOf('data-source.ts')).toContain(
      `migrations: ['dist/migrations/*.js', ...thornMigrations],`,
    );
    const text = textOf(MODULE);
    expect(text).toContain(
      `import { thornEntities, thornMigrations } from 'nestjs-thorn/typeorm';`,
    );
    expect(text).toContain('entities: [Order, ...thornEntities],');
    expect(text).toContain(`migrations: ['dist/migrations/*.js', ...thornMigrations],`);

    expect(await init('--undo', '--yes')).toMatchObject({ code: 0 });
    expect(textOf('data-source.ts')).toBe(before);
  });

  it('says how to make the tables where nothing makes them', async () => {
    setOptions('autoLoadEntities: true,');
    const { code, notes } = await init(...SETUP);
    expect([code, notes]).toEqual([0, expect.stringContaining('npx thorn migrations sqlite')]);
  });

  it('leaves objects alone that only look like options', async () => {
    write(
      'src/orders/orders.service.ts',
      `import { Repository } from 'typeorm';

export async function page(orders: Repository<object>) {
  const entities = await orders.find();
  return { entities };
}
`,
    );
    setOptions('entities: [Order], synchronize: true,');
    expect(await init(...SETUP)).toMatchObject({ code: 0 });
  });

  it.each([
    ['OrderEntity', 'order'],
    ['OrderItemEntity', 'order-item'],
  ])('names the events of %s by %s', async (name, subject) => {
    write(
      'src/orders/named.entity.ts',
      `import { Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class ${name} {
  @PrimaryGeneratedColumn()
  id!: number;
}
`,
    );
    const { code } = await init('--yes', '--entity', name, '--owner', '-');
    expect(code).toBe(0);
    expect(textOf('src/orders/named.entity.ts')).toContain(`('${subject}.created', {`);
  });
});
