import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readReportedRow } from '../../lib/database/triggers/reported-values.js';
import { readTableShape } from '../../lib/database/triggers/table-shape.js';
import {
  createTriggers,
  dropTriggers,
  findTriggerFaults,
  type TriggerFault,
} from '../../lib/database/triggers/table-triggers.js';
import type { ReportedTable } from '../../lib/database/triggers/reported-table.js';
import {
  openTriggerPlace,
  type TriggerDatabase,
  type TriggerPlace,
} from '../support/trigger-place.js';

const DATABASES: readonly TriggerDatabase[] = ['postgres', 'mariadb', 'sqlite'];

const reported = (name: string, given: Partial<ReportedTable> = {}): ReportedTable => ({
  name,
  key: ['id'],
  omit: [],
  ...given,
});

describe.each(DATABASES)('triggers on %s', (database) => {
  let place: TriggerPlace;
  beforeAll(async () => {
    place = await openTriggerPlace(database);
  });
  afterAll(() => place.end());
  afterEach(() => place.sql('DELETE FROM thorn_changes'));

  const path = (name: string) => place.executor.dialect.identifier(name);
  const create = (...tables: ReportedTable[]) => createTriggers(place.executor, path, tables);
  const faults = (table: ReportedTable) => findTriggerFaults(place.executor, path, table);
  const quoted = (name: string) => place.executor.dialect.identifier(name);
  /** As a worker reads them. */
  const told = async (table: string) => {
    const columns = (await readTableShape(place.executor, table))!.columns;
    const read = (json: string | null) => (json === null ? null : readReportedRow(json, columns));
    return (await place.changes()).map(({ source, old_row, new_row }) => {
      expect(source).toBe(table);
      return [read(old_row), read(new_row)];
    });
  };
  let made = 0;
  const freshTable = async (columns = 'state varchar(20), note varchar(20)'): Promise<string> => {
    const name = `orders_${++made}`;
    await place.sql(`CREATE TABLE ${name} (id int NOT NULL PRIMARY KEY, ${columns})`);
    return name;
  };

  it('tell of inserts, updates and removals, and not of what changes nothing', async () => {
    const name = await freshTable();
    await create(reported(name));
    await place.sql(`INSERT INTO ${name} VALUES (1, 'NEW', 'a'), (2, 'NEW', NULL)`);
    await place.sql(`UPDATE ${name} SET state = 'PAID' WHERE id = 1`);
    await place.sql(`UPDATE ${name} SET state = state`);
    await place.sql(`UPDATE ${name} SET state = 'paid' WHERE id = 1`);
    await place.sql(`DELETE FROM ${name} WHERE id = 2`);
    const first = { id: 1, state: 'NEW', note: 'a' };
    expect(await told(name)).toEqual([
      [null, first],
      [null, { id: 2, state: 'NEW', note: null }],
      [first, { ...first, state: 'PAID' }],
      [
        { ...first, state: 'PAID' },
        { ...first, state: 'paid' },
      ],
      [{ id: 2, state: 'NEW', note: null }, null],
    ]);
  });

  const alike = [
    ['NOCASE', 'NEW'],
    ['RTRIM', 'New  '],
  ] as const;
  it.each(database === 'sqlite' ? alike : [])(
    'tell of a value that the column takes for equal: %s',
    async (collation, value) => {
      const name = await freshTable(`state varchar(20) COLLATE ${collation}`);
      await create({ ...reported(name), omit: [] });
      await place.sql(`INSERT INTO ${name} VALUES (1, 'New')`);
      await place.sql(`UPDATE ${name} SET state = '${value}' WHERE id = 1`);
      expect((await told(name)).map(([, now]) => now)).toEqual([
        { id: 1, state: 'New' },
        { id: 1, state: value },
      ]);
    },
  );

  it('tell of another key with both rows, on PostgreSQL as of two', async () => {
    const name = await freshTable();
    await create(reported(name));
    await place.sql(`INSERT INTO ${name} VALUES (1, 'NEW', 'a'), (3, 'NEW', 'c')`);
    await place.changes();
    await place.sql(`UPDATE ${name} SET id = 2 WHERE id = 1`);
    const changes = await told(name);
    const [old, now] = [1, 2].map((id) => ({ id, state: 'NEW', note: 'a' }));
    if (database !== 'postgres') return expect(changes).toEqual([[old, now]]);
    expect(changes).toHaveLength(2);
    expect(changes).toContainEqual([old, null]);
    expect(changes).toContainEqual([null, now]);
  });

  it('pair the rows of one statement by a key of several columns', async () => {
    const name = await freshTable('sku varchar(9) NOT NULL, n int, UNIQUE (id, sku)');
    await create(reported(name, { key: ['id', 'sku'] }));
    await place.sql(`INSERT INTO ${name} VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)`);
    await place.changes();
    await place.sql(`UPDATE ${name} SET n = 5 - n WHERE id <> 2`);
    expect((await told(name)).map(([old, now]) => [old!['id'], old!['n'], now!['n']])).toEqual([
      [1, 1, 4],
      [3, 3, 2],
    ]);
  });

  it('leave out columns, and what changes in them alone', async () => {
    const name = await freshTable();
    await create(reported(name, { omit: ['note'] }));
    await place.sql(`INSERT INTO ${name} VALUES (1, 'NEW', 'secret')`);
    await place.sql(`UPDATE ${name} SET note = 'other'`);
    await place.sql(`UPDATE ${name} SET note = 'third', state = 'PAID'`);
    const changes = await place.changes();
    expect(JSON.stringify(changes)).not.toMatch(/secret|other|third|note/);
    expect(
      changes.map(({ old_row: old, new_row: now }) =>
        [old, now].map((row) => JSON.parse(row ?? 'null')),
      ),
    ).toEqual([
      [null, { id: 1, state: 'NEW' }],
      [
        { id: 1, state: 'NEW' },
        { id: 1, state: 'PAID' },
      ],
    ]);
  });

  it('quote every name', async () => {
    const columns = ['Order', "it's", 'a"b', 'a`b', 'select', 'n', 'o', 'is_heard', 'back\\slash'];
    for (const name of [
      'orders"; drop',
      'Orders',
      'select',
      "it's",
      'ta`ble',
      'back\\slash',
      `long_${'x'.repeat(55)}`,
    ]) {
      const list = columns.map((column) => `${quoted(column)} int`).join(', ');
      await place.sql(
        `CREATE TABLE ${quoted(name)} (${quoted('the id')} int NOT NULL PRIMARY KEY, ${list})`,
      );
      const table = reported(name, { key: ['the id'], omit: ['a"b'] });
      await create(table);
      expect(await faults(table)).toEqual([]);
      await place.sql(`INSERT INTO ${quoted(name)} VALUES (1${', 2'.repeat(columns.length)})`);
      await place.sql(`UPDATE ${quoted(name)} SET ${quoted('select')} = 3`);
      const now = Object.fromEntries(columns.filter((one) => one !== 'a"b').map((one) => [one, 2]));
      expect(await told(name)).toEqual([
        [null, { 'the id': 1, ...now }],
        [
          { 'the id': 1, ...now },
          { 'the id': 1, ...now, select: 3 },
        ],
      ]);
      await dropTriggers(place.executor, path, [table]);
      await place.sql(`INSERT INTO ${quoted(name)} VALUES (2${', 2'.repeat(columns.length)})`);
      expect(await place.changes()).toEqual([]);
    }
  });

  it('write nothing that is rolled back, to a savepoint or in full', async () => {
    const name = await freshTable();
    await create(reported(name));
    await place.sql('BEGIN');
    await place.sql(`INSERT INTO ${name} VALUES (1, 'NEW', NULL)`);
    await place.sql('SAVEPOINT one');
    await place.sql(`INSERT INTO ${name} VALUES (2, 'NEW', NULL)`);
    await place.sql('ROLLBACK TO SAVEPOINT one');
    await place.sql('COMMIT');
    await place.sql('BEGIN');
    await place.sql(`DELETE FROM ${name}`);
    await place.sql('ROLLBACK');
    expect((await told(name)).map(([, now]) => now?.['id'])).toEqual([1]);
  });

  it('write nothing while nobody listens, and again once somebody does', async () => {
    const name = await freshTable();
    await create(reported(name));
    const hear = async (heard: boolean) => {
      await place.sql(`DELETE FROM thorn_captured_tables`);
      await place.sql(
        `INSERT INTO thorn_captured_tables (name, heard, events) VALUES ('${name}', ${heard}, '[]')`,
      );
    };
    await hear(false);
    await place.sql(`INSERT INTO ${name} VALUES (1, 'NEW', NULL)`);
    await place.sql(`UPDATE ${name} SET state = 'PAID'`);
    await place.sql(`DELETE FROM ${name}`);
    expect(await place.changes()).toEqual([]);
    await hear(true);
    await place.sql(`INSERT INTO ${name} VALUES (2, 'NEW', NULL)`);
    expect(await told(name)).toHaveLength(1);
  });

  it('tell of an upsert as of an update', async () => {
    const name = await freshTable();
    await create(reported(name));
    await place.sql(`INSERT INTO ${name} VALUES (1, 'NEW', NULL)`);
    await place.changes();
    const set =
      database === 'mariadb' ? 'ON DUPLICATE KEY UPDATE' : 'ON CONFLICT (id) DO UPDATE SET';
    await place.sql(
      `INSERT INTO ${name} VALUES (1, 'X', NULL), (2, 'NEW', NULL) ${set} state = 'PAID'`,
    );
    const changes = await told(name);
    expect(changes).toHaveLength(2);
    expect(changes).toContainEqual([null, { id: 2, state: 'NEW', note: null }]);
    expect(changes).toContainEqual([
      { id: 1, state: 'NEW', note: null },
      { id: 1, state: 'PAID', note: null },
    ]);
  });

  it('tell of what a foreign key cascades, but on MariaDB', async () => {
    const name = await freshTable();
    await place.sql(
      `CREATE TABLE lines_of_${name} (id int NOT NULL PRIMARY KEY, of int, FOREIGN KEY (of) REFERENCES ${name} (id) ON DELETE CASCADE)`
        .replaceAll(' of ', ` ${quoted('of')} `)
        .replace('(of)', `(${quoted('of')})`),
    );
    if (database === 'sqlite') await place.sql('PRAGMA foreign_keys = ON');
    await create(reported(`lines_of_${name}`));
    await place.sql(`INSERT INTO ${name} VALUES (1, 'NEW', NULL)`);
    await place.sql(`INSERT INTO lines_of_${name} VALUES (5, 1), (6, 1)`);
    await place.changes();
    await place.sql(`DELETE FROM ${name}`);
    const changes = await told(`lines_of_${name}`);
    expect(changes.map(([old]) => old?.['id'])).toEqual(database === 'mariadb' ? [] : [5, 6]);
  });

  it('are made anew, found missing and found outdated', async () => {
    const name = await freshTable();
    const table = reported(name);
    const all = (kind: TriggerFault['kind']) =>
      expect.arrayContaining(
        ['insert', 'update', 'delete'].map((event) =>
          expect.objectContaining({
            trigger: expect.stringContaining(`thorn_${event}`),
            kind,
          }),
        ),
      );
    expect(await faults(table)).toEqual(all('missing'));
    await create(table);
    await create(table);
    expect(await faults(table)).toEqual([]);
    expect(await faults(reported(name, { omit: ['note'] }))).not.toEqual([]);
    await create(reported(name, { omit: ['note'] }));
    expect(await faults(table)).not.toEqual([]);
    await create(table);
    expect(await faults(table)).toEqual([]);
    await place.sql(`ALTER TABLE ${name} ADD COLUMN added int`);
    // PostgreSQL reports all columns that there are.
    expect((await faults(table)).length > 0).toBe(database !== 'postgres');
    await create(table);
    await place.sql(`INSERT INTO ${name} VALUES (1, 'NEW', NULL, 7)`);
    expect(await told(name)).toEqual([[null, { id: 1, state: 'NEW', note: null, added: 7 }]]);
    await dropTriggers(place.executor, path, [table]);
    expect(await faults(table)).toEqual(all('missing'));
    await dropTriggers(place.executor, path, [table, reported('never_there')]);
  });

  it('survive a dropped column, or say so at once', async () => {
    const name = await freshTable();
    const table = reported(name);
    await create(table);
    const drop = place.sql(`ALTER TABLE ${name} DROP COLUMN note`);
    if (database === 'sqlite') return expect(drop).rejects.toThrow('no such column');
    await drop;
    const write = () => place.sql(`INSERT INTO ${name} VALUES (1, 'NEW')`);
    if (database === 'mariadb') {
      await expect(write()).rejects.toThrow("Unknown column 'note'");
      expect(await faults(table)).toHaveLength(3);
      await create(table);
    }
    await write();
    expect(await told(name)).toEqual([[null, { id: 1, state: 'NEW' }]]);
  });

  it('are refused for what cannot have them, and nothing is made', async () => {
    const name = await freshTable();
    await place.sql(`CREATE VIEW view_of_${name} AS SELECT * FROM ${name}`);
    const good = reported(name);
    for (const [table, text] of [
      [reported('never_there'), /Events of never_there: there is no table never_there/],
      [reported(`view_of_${name}`), /this is a view/],
      [reported('thorn_changes'), /this is a table of Thorn/],
      [reported(name, { key: ['state'] }), /the key state is not unique.*: id$/],
      [reported(name, { key: ['nr'] }), /there is no column nr. The columns are id, state, note/],
      [reported(name, { omit: ['nr'] }), /there is no column nr/],
      [reported(name, { omit: ['id'] }), /omit names id, a column of the key/],
      [reported(name, { key: [] }), /name the columns of its key/],
    ] as const) {
      await expect(create(good, table)).rejects.toThrow(text);
    }
    expect(await faults(good)).toHaveLength(database === 'postgres' ? 4 : 3);
    const unique = await freshTable('a int, b int NOT NULL, UNIQUE (a), UNIQUE (b)');
    await expect(create(reported(unique, { key: ['a'] }))).rejects.toThrow(
      'column a of the key may be null',
    );
    await create(reported(unique, { key: ['b'] }));
  });
});
