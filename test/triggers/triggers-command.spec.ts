import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { main } from '../../lib/cli/main.js';
import {
  openTriggerPlace,
  type TriggerDatabase,
  type TriggerPlace,
} from '../support/trigger-place.js';

const BREAK = '--> statement-breakpoint';

async function thorn(...args: string[]) {
  const [out, notes]: [string[], string[]] = [[], []];
  const code = await main(args, {
    out: (text: string) => void out.push(text),
    note: (text: string) => void notes.push(text),
  } as never);
  return { code, out: out.join('\n'), notes: notes.join('\n') };
}

describe.each<TriggerDatabase>(['postgres', 'mariadb', 'sqlite'])(
  'thorn triggers %s',
  (database) => {
    let place: TriggerPlace;
    beforeAll(async () => {
      place = await openTriggerPlace(database);
      await place.sql('CREATE TABLE orders (id int NOT NULL PRIMARY KEY, note varchar(9))');
      await place.sql(
        'CREATE TABLE order_lines (id int NOT NULL, sku varchar(9) NOT NULL, PRIMARY KEY (id, sku))',
      );
    });
    afterAll(() => place.end());
    const args = () => [
      'triggers',
      database,
      'orders:id',
      'order_lines:id+sku',
      '--omit',
      'orders.note',
      '--url',
      place.url,
    ];

    it('prints SQL that makes them, checks it, and prints what removes it', async () => {
      const printed = await thorn(...args(), '--for', 'drizzle');
      expect([printed.code, printed.notes]).toEqual([0, '']);
      expect(printed.out).toContain('drizzle-kit generate --custom --name=thorn_triggers');
      expect(await thorn(...args(), '--check')).toMatchObject({
        code: 1,
        out: expect.stringMatching(/^orders: thorn_\w+ is missing\n/),
      });
      for (const one of printed.out.split(BREAK)) {
        await place.sql(one.replace(/^--.*\n/gm, '').replace(/;\s*$/, ''));
      }
      expect(await thorn(...args(), '--check')).toMatchObject({
        code: 0,
        out: 'The triggers are as they must be.',
      });
      await place.sql(`INSERT INTO orders VALUES (1, 'secret')`);
      await place.sql(`INSERT INTO order_lines VALUES (1, 'a')`);
      expect(
        (await place.changes()).map((change) => JSON.parse(change.new_row!) as unknown),
      ).toEqual([{ id: 1 }, { id: 1, sku: 'a' }]);
      const others = args().map((one) => (one === 'orders.note' ? '' : one));
      expect(await thorn(...others, '--check')).toMatchObject({
        code: 1,
        out: expect.stringContaining('is outdated'),
      });
      const down = await thorn(...args(), '--for', 'drizzle', '--down');
      for (const one of down.out.split(BREAK)) {
        await place.sql(one.replace(/^--.*\n/gm, '').replace(/;\s*$/, ''));
      }
      expect(await thorn(...args(), '--check')).toMatchObject({ code: 1 });
    });

    it('needs no table of Thorn where it prints a migration', async () => {
      const printed = await thorn(...args(), '--for', 'drizzle');
      for (const name of ['thorn_changes', 'thorn_captured_tables']) {
        await place.sql(`ALTER TABLE ${name} RENAME TO ${name}_kept`);
      }
      expect(await thorn(...args(), '--for', 'drizzle')).toEqual(printed);
      expect(await thorn(...args())).toMatchObject({
        code: 2,
        notes: expect.stringContaining('The database has no table thorn_changes'),
      });
      for (const name of ['thorn_changes', 'thorn_captured_tables']) {
        await place.sql(`ALTER TABLE ${name}_kept RENAME TO ${name}`);
      }
    });

    it('writes a file once the SQL is complete', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'thorn-triggers-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const file = join(folder, 'triggers.sql');
      const failed = await thorn(...args(), 'never_there:id', '--out', file);
      expect([failed.code, existsSync(file)]).toEqual([2, false]);
      const { out } = await thorn(...args());
      expect(await thorn(...args(), '--out', file)).toEqual({ code: 0, out: '', notes: '' });
      expect(readFileSync(file, 'utf8')).toBe(`${out}\n`);
      const nowhere = await thorn(...args(), '--out', join(folder, 'none', 'triggers.sql'));
      expect(nowhere).toMatchObject({
        code: 2,
        notes: expect.stringContaining('cannot be written'),
      });
      expect(await thorn(...args(), '--check', '--out', file)).toMatchObject({ code: 2 });
    });

    it('prints a migration of TypeORM', async () => {
      const { out } = await thorn(...args(), '--for', 'typeorm');
      expect(out).toMatch(/export class ThornTriggers\d+ implements MigrationInterface/);
      expect(out.match(/await queryRunner.query\("/g)!.length).toBeGreaterThan(6);
    });

    it('says what is wrong', async () => {
      const wrong = async (...given: string[]) => {
        const { code, out, notes } = await thorn('triggers', ...given);
        expect([code, out]).toEqual([2, '']);
        return notes;
      };
      const url = ['--url', place.url];
      expect(await wrong('oracle')).toContain('name a database');
      expect(await wrong(database, ...url)).toContain('name tables with their keys');
      expect(await wrong(database, 'orders', ...url)).toContain(
        'the columns of its key: orders:id',
      );
      expect(await wrong(database, 'orders:id')).toContain('--url must be');
      expect(await wrong(database, 'orders:nr', ...url)).toContain('there is no column nr');
      expect(await wrong(database, 'orders:id', '--omit', 'lines.a', ...url)).toContain(
        'belongs to none of the tables',
      );
    });
  },
);

describe('thorn triggers postgres, where a trigger is disabled', () => {
  it('calls it disabled', async () => {
    const place = await openTriggerPlace('postgres');
    onTestFinished(() => place.end());
    await place.sql('CREATE TABLE orders (id int NOT NULL PRIMARY KEY)');
    const args = ['triggers', 'postgres', 'orders:id', '--url', place.url];
    const { out } = await thorn(...args);
    for (const one of out.split(BREAK)) await place.sql(one.replace(/;\s*$/, ''));
    await place.sql('ALTER TABLE orders DISABLE TRIGGER thorn_update');
    expect(await thorn(...args, '--check')).toMatchObject({
      code: 1,
      out: 'orders: thorn_update is disabled',
    });
  });
});
