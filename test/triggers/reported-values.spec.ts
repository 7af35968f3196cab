import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReportedRow } from '../../lib/database/triggers/reported-values.js';
import { readTableShape } from '../../lib/database/triggers/table-shape.js';
import { createTriggers, findTriggerFaults } from '../../lib/database/triggers/table-triggers.js';
import {
  openTriggerPlace,
  type TriggerDatabase,
  type TriggerPlace,
} from '../support/trigger-place.js';

/** A column's type, a value in SQL, and what a payload sees. */
type Case = readonly [type: string, sql: string, seen: unknown];

const BIG = '9007199254740993';

const CASES: Readonly<Record<TriggerDatabase, readonly Case[]>> = {
  postgres: [
    ['smallint', '7', 7],
    ['integer', '-2147483648', -2_147_483_648],
    ['bigint', BIG, BIG],
    ['bigint', '1', '1'],
    ['numeric(12,2)', '1.50', '1.50'],
    ['numeric', '12345678901234567890.123', '12345678901234567890.123'],
    ['real', '1.5', 1.5],
    ['real', '0.33333334', 0.33333334],
    ['double precision', '0.1', 0.1],
    ['double precision', '0.30000000000000004', 0.30000000000000004],
    ['double precision[]', `'{0.30000000000000004}'`, [0.30000000000000004]],
    ['double precision', "'NaN'", 'NaN'],
    ['boolean', 'true', true],
    ['text', `'ä"\\n{"a":12345678901234567890}'`, 'ä"\\n{"a":12345678901234567890}'],
    ['varchar(9)', `'x'`, 'x'],
    ['uuid', `'0192f0c1-2f4e-7000-8000-000000000001'`, '0192f0c1-2f4e-7000-8000-000000000001'],
    ['bytea', String.raw`'\x00ff10'`, 'AP8Q'],
    ['date', `'2026-02-03'`, '2026-02-03'],
    ['time', `'10:20:30.123456'`, '10:20:30.123456'],
    ['timestamp', `'2026-02-03 10:20:30.123456'`, '2026-02-03T10:20:30.123456'],
    ['timestamptz', `'2026-02-03 10:20:30.123456+05:30'`, '2026-02-03T04:50:30.123456Z'],
    ['timestamptz', `'2026-02-03 23:20:30-02'`, '2026-02-04T01:20:30Z'],
    ['timestamptz', `'infinity'`, 'infinity'],
    ['json', `'{"a": [1, 1.5], "b": "x"}'`, { a: [1, 1.5], b: 'x' }],
    ['jsonb', `'{"a": [1, 1.5], "b": null}'`, { a: [1, 1.5], b: null }],
    ['jsonb', `'"5"'`, '5'],
    ['integer[]', `'{1,2}'`, [1, 2]],
    ['bigint[]', `'{1,${BIG}}'`, ['1', BIG]],
    ['numeric[]', `'{{1.50},{2}}'`, [['1.50'], ['2']]],
    ['text[]', `'{a,"b,c"}'`, ['a', 'b,c']],
    ['timestamptz[]', `'{2026-02-03 10:20:30+05}'`, ['2026-02-03T05:20:30Z']],
    ['inet', `'10.0.0.1'`, '10.0.0.1'],
    ['interval', `'1 day'`, '1 day'],
    ['interval', `'1 year 2 days 03:04:05'`, '1 year 2 days 03:04:05'],
    ['interval[]', `'{1 day 02:00}'`, ['1 day 02:00:00']],
    ['int4range', `'[1,5)'`, '[1,5)'],
    ['daterange', `'[2026-02-03,2026-02-04)'`, '[2026-02-03,2026-02-04)'],
    ['tstzrange', `'[2026-02-03 10:20:30+00,)'`, '["2026-02-03 10:20:30+00",)'],
    [
      'visit',
      String.raw`ROW('1 day 02:00', 0.30000000000000004, '\x00ff', '2026-02-03 10:20:30+00')`,
      {
        stay: '1 day 02:00:00',
        share: 0.30000000000000004,
        seal: String.raw`\x00ff`,
        since: '2026-02-03T10:20:30+00:00',
      },
    ],
    ['bit(3)', `'101'`, '101'],
    ['mood', `'ok'`, 'ok'],
    ['cents', BIG, BIG],
    ['point', `'(1,2)'`, '(1,2)'],
    ['point', `'(0.30000000000000004,2)'`, '(0.30000000000000004,2)'],
  ],
  mariadb: [
    ['tinyint', '7', 7],
    ['boolean', 'true', true],
    ['int unsigned', '4294967295', 4_294_967_295],
    ['bigint', BIG, BIG],
    ['bigint unsigned', '18446744073709551615', '18446744073709551615'],
    ['decimal(12,2)', '1.5', '1.50'],
    ['double', '0.1', 0.1],
    ['bit(4)', "b'101'", 5],
    ['year', '2026', 2026],
    ['varchar(20)', `'ä"x'`, 'ä"x'],
    ['text', `'x'`, 'x'],
    ["enum('a','b')", `'b'`, 'b'],
    ["set('a','b')", `'a,b'`, 'a,b'],
    ['binary(3)', "x'00ff10'", 'AP8Q'],
    ['varbinary(9)', "x'00ff10'", 'AP8Q'],
    ['longblob', "x'00ff10'", 'AP8Q'],
    ['date', `'2026-02-03'`, '2026-02-03'],
    ['time(3)', `'10:20:30.123'`, '10:20:30.123'],
    ['datetime(6)', `'2026-02-03 10:20:30.123456'`, '2026-02-03T10:20:30.123456'],
    ['timestamp(3) NULL', `'2026-02-03 10:20:30.123'`, '2026-02-03T05:20:30.123Z'],
    ['json', `'{"a": [1, 1.5], "b": "x"}'`, { a: [1, 1.5], b: 'x' }],
    ['json', `'"5"'`, '5'],
    ['uuid', `'0192f0c1-2f4e-7000-8000-000000000001'`, '0192f0c1-2f4e-7000-8000-000000000001'],
    ['inet6', `'::1'`, '::1'],
    ['point', 'POINT(1, 2)', 'POINT(1 2)'],
    ['varchar(9) CHARACTER SET latin1', `'ä'`, 'ä'],
  ],
  sqlite: [
    ['INTEGER', '7', 7],
    ['INTEGER', BIG, BIG],
    ['BIGINT', '1', '1'],
    ['REAL', '0.1', 0.1],
    ['TEXT', `'ä"x'`, 'ä"x'],
    ['VARCHAR(20)', `'x'`, 'x'],
    ['BOOLEAN', '1', true],
    ['BLOB', "x'00ff10'", 'AP8Q'],
    ['TEXT', "x'00ff10'", 'AP8Q'],
    ['JSON', `'{"a": [1, 1.5], "b": "x"}'`, { a: [1, 1.5], b: 'x' }],
    ['JSONB', `'[12345678901234567890]'`, [12_345_678_901_234_567_890]],
    ['JSONB', `jsonb('{"a": [1, 1.5], "b": "x"}')`, { a: [1, 1.5], b: 'x' }],
    ['JSONB', `jsonb('"5"')`, '5'],
    ['JSONB', `jsonb('null')`, null],
    ['JSONB', "x'00ff10'", 'AP8Q'],
    ['JSON', `jsonb('[1]')`, 'KxMx'],
    ['BLOB', `jsonb('[1]')`, 'KxMx'],
    ['BLOB', "x'00'", 'AA=='],
    ['TEXT', `jsonb('[1]')`, 'KxMx'],
    ['DATETIME', `'2026-02-03 10:20:30.123'`, '2026-02-03T10:20:30.123'],
    ['DATETIME', `'2026-02-03T10:20:30.123+00:00'`, '2026-02-03T10:20:30.123Z'],
    ['DATETIME', '1770114030123', 1_770_114_030_123],
    ['', `'x'`, 'x'],
  ],
};

describe.each<TriggerDatabase>(['postgres', 'mariadb', 'sqlite'])('values on %s', (database) => {
  let place: TriggerPlace;
  beforeAll(async () => {
    place = await openTriggerPlace(database);
    if (database === 'postgres') {
      await place.sql(`CREATE TYPE mood AS ENUM ('ok')`);
      await place.sql('CREATE DOMAIN amount AS bigint');
      await place.sql('CREATE DOMAIN cents AS amount');
      await place.sql(
        'CREATE TYPE visit AS (stay interval, share float8, seal bytea, since timestamptz)',
      );
      await place.sql(`SET TIME ZONE 'Asia/Karachi'`);
      await place.sql(`SET bytea_output = escape`);
      await place.sql('SET extra_float_digits = -10');
      await place.sql('SET intervalstyle = sql_standard');
      await place.sql('SET datestyle = German');
    }
    if (database === 'mariadb') await place.sql(`SET time_zone = '+05:00'`);
  });
  afterAll(() => place.end());

  it('are told as a payload sees them', async () => {
    const cases = CASES[database];
    const path = (name: string) => place.executor.dialect.identifier(name);
    const types = cases.map(([type], at) => `c${at} ${type}`).join(', ');
    await place.sql(`CREATE TABLE things (id int NOT NULL PRIMARY KEY, ${types})`);
    const table = { name: 'things', key: ['id'], omit: [] };
    await createTriggers(place.executor, path, [table]);
    expect(await findTriggerFaults(place.executor, path, table)).toEqual([]);
    await place.sql(`INSERT INTO things VALUES (1, ${cases.map(([, sql]) => sql).join(', ')})`);
    await place.sql(`INSERT INTO things (id) VALUES (2)`);
    await place.sql('UPDATE things SET id = id');
    const { columns } = (await readTableShape(place.executor, 'things'))!;
    const [first, empty, ...others] = await place.changes();
    expect(others).toEqual([]);
    const row = readReportedRow(first!.new_row!, columns);
    const seen = Object.fromEntries(cases.map(([type, , value], at) => [`c${at} ${type}`, value]));
    expect(
      Object.fromEntries(cases.map(([type], at) => [`c${at} ${type}`, row[`c${at}`]])),
    ).toEqual(seen);
    const without = readReportedRow(empty!.new_row!, columns);
    expect(Object.values(without)).toEqual([2, ...cases.map(() => null)]);
  });

  const settings = ['bytea_output', 'extra_float_digits', 'intervalstyle', 'datestyle', 'timezone'];
  it.each(database === 'postgres' ? settings : [])(
    'need a function that sets %s, whichever columns are added',
    async (setting) => {
      const path = (name: string) => place.executor.dialect.identifier(name);
      const table = { name: `without_${setting}`, key: ['id'], omit: [] };
      await place.sql(`CREATE TABLE ${table.name} (id int NOT NULL PRIMARY KEY)`);
      await createTriggers(place.executor, path, [table]);
      await place.sql(`ALTER TABLE ${table.name} ADD COLUMN seen visit`);
      expect(await findTriggerFaults(place.executor, path, table)).toEqual([]);
      const trigger = `thorn_report_${table.name}`;
      await place.sql(`ALTER FUNCTION ${trigger}() RESET ${setting}`);
      expect(await findTriggerFaults(place.executor, path, table)).toEqual([
        { table: table.name, trigger, kind: 'outdated' },
      ]);
    },
  );
});
