import { inspect } from 'node:util';
import { type Result, runSteps } from '../../database/sql-client.js';
import { proven, rowsOf } from '../../database/transaction-proof.js';
import type { JoinedTransaction, Row, SqlClient, SqlDriver } from '../../sql/index.js';
import type { TestRunner } from './test-runner.js';

/** A client of one test, on a database that has the library's tables. */
export interface SqlClientFixture<Transaction> {
  readonly client: SqlClient<Transaction>;
  /** Runs work in a transaction of the client's own. */
  transaction<Answer>(work: (transaction: Transaction) => Promise<Answer>): Promise<Answer>;
  /** Runs work in a transaction within one, which can be rolled back alone. */
  nested(transaction: Transaction, work: (inner: Transaction) => Promise<void>): Promise<void>;
  /** Runs a statement in a transaction, by the client's own means. */
  execute(transaction: Transaction, sql: string): Promise<unknown>;
  /** The client itself, which is in no transaction. */
  readonly bare: unknown;
  /** Like `transaction`, in another database on the same server. */
  elsewhere<Answer>(work: (transaction: Transaction) => Promise<Answer>): Promise<Answer>;
  /** Reads the committed state of the database, on a connection of its own. */
  query(sql: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** The implementation under test. */
export interface SqlClientUnderTest<Transaction> {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Of the fixtures. MariaDB is `mysql`. */
  readonly database: 'postgres' | 'mysql' | 'sqlite';
  /**
   * Called once for each test.
   *
   * @param connections of the client's own pool
   */
  makeFixture(connections: number): Promise<SqlClientFixture<Transaction>>;
}

const TABLE = 'thorn_conformance';
const WRONG_TRANSACTION = 'THORN_TRANSACTION_REQUIRED';
const ENDED = 'THORN_TRANSACTION_ENDED';

/** The differences between databases. */
interface Features {
  readonly columns: string;
  readonly driver: SqlDriver['kind'];
  /** A statement that fails ends the transaction for all that comes after it. */
  readonly failsForGood?: true;
  /** A COMMIT can fail: keys are looked for then. */
  readonly defersKeys?: true;
  /** SQL that makes a transaction read-only, like the transactions of a replica. */
  readonly readOnly?: string;
  /** INSERT and its like may be part of a statement. */
  readonly writesWithin?: true;
}

const FEATURES: Readonly<Record<SqlClientUnderTest<never>['database'], Features>> = {
  postgres: {
    columns: `id text PRIMARY KEY, number bigint, body json, parent text REFERENCES ${TABLE} DEFERRABLE INITIALLY DEFERRED`,
    driver: 'pg',
    readOnly: 'SET TRANSACTION READ ONLY',
    failsForGood: true,
    defersKeys: true,
    writesWithin: true,
  },
  mysql: {
    columns: 'id varchar(64) PRIMARY KEY, number bigint, body longtext, parent varchar(64)',
    driver: 'mysql2',
    readOnly: 'START TRANSACTION READ ONLY',
  },
  sqlite: {
    columns: `id text PRIMARY KEY, number bigint, body json, parent text REFERENCES ${TABLE} DEFERRABLE INITIALLY DEFERRED`,
    driver: 'better-sqlite3',
    defersKeys: true,
  },
};

/** Defines the tests that every {@link SqlClient} must pass. They make a table `thorn_conformance`. */
export function sqlClientConformance<Transaction>(
  { name, database, makeFixture }: SqlClientUnderTest<Transaction>,
  { describe, it, expect }: TestRunner,
): void {
  type Fixture = SqlClientFixture<Transaction>;
  const { columns, driver, failsForGood, defersKeys, readOnly, writesWithin } = FEATURES[database];
  const test = (title: string, body: (fixture: Fixture) => Promise<void>, connections = 2) =>
    it(title, async () => {
      const fixture = await makeFixture(connections);
      try {
        await fixture.query(`DROP TABLE IF EXISTS ${TABLE}`);
        await fixture.query(`CREATE TABLE ${TABLE} (${columns})`);
        await body(fixture);
      } finally {
        await fixture.close();
      }
    });
  const insert = async ({ client }: Fixture, transaction: unknown, id: string, ticks = 0) => {
    const joining = client.join(transaction as Transaction);
    const joined = joining instanceof Promise ? await joining : joining;
    for (let tick = ticks; tick > 0; tick--) await Promise.resolve();
    return write(joined, id);
  };
  // Writes messages as the library does.
  const write = async ({ run, proof, dialect }: JoinedTransaction, id: string): Promise<Result> => {
    const step = proven(proof, (gate) => ({
      sql: `INSERT INTO ${TABLE} (id) ${rowsOf([dialect.parameter('text')], gate)}`,
      parameters: [id],
    }));
    return (await runSteps(run, [step]))[0]!;
  };
  const stored = async ({ query }: Fixture) => {
    const rows = await query(`SELECT id FROM ${TABLE} ORDER BY id`);
    return rows.map(({ id }) => id);
  };
  const codeOf = async (work: Promise<unknown>) =>
    work.then(
      () => 'none',
      (error: unknown) => (error as { readonly code?: unknown }).code,
    );

  describe(`${name}: every SQL client`, () => {
    test('writes with the commit, and with nothing else', async (fixture) => {
      await fixture.transaction(async (transaction) => {
        await insert(fixture, transaction, 'a');
        await fixture.execute(transaction, `INSERT INTO ${TABLE} (id) VALUES ('b')`);
        expect(await stored(fixture)).toEqual([]);
      });

      expect(await stored(fixture)).toEqual(['a', 'b']);
    });

    test('writes nothing with a rollback', async (fixture) => {
      const work = fixture.transaction(async (transaction) => {
        await insert(fixture, transaction, 'a');
        throw new Error('rolled back');
      });

      await expect(work).rejects.toMatchObject({ message: 'rolled back' });
      expect(await stored(fixture)).toEqual([]);
    });

    test('joins a nested transaction, whose rollback keeps the outer one', async (fixture) => {
      await fixture.transaction(async (transaction) => {
        await insert(fixture, transaction, 'outer');
        const inner = fixture.nested(transaction, async (nested) => {
          await insert(fixture, nested, 'inner');
          throw new Error('rolled back');
        });
        await expect(inner).rejects.toThrow();
        await insert(fixture, transaction, 'after');
        await fixture.nested(transaction, async (nested) => {
          await insert(fixture, nested, 'kept');
        });
      });

      expect(await stored(fixture)).toEqual(['after', 'kept', 'outer']);
    });

    const failing = `SELECT missing FROM ${TABLE}`;
    if (failsForGood) {
      test('refuses a transaction after a statement that has failed, and names the cause', async (fixture) => {
        let joining: unknown;
        const work = fixture.transaction(async (transaction) => {
          await insert(fixture, transaction, 'a');
          await expect(fixture.execute(transaction, failing)).rejects.toThrow();
          joining = await codeOf(insert(fixture, transaction, 'b'));
        });
        // A COMMIT of a failed transaction is a ROLLBACK. Few clients tell.
        await work.catch(() => undefined);

        expect(joining).toBe(ENDED);
        expect(await stored(fixture)).toEqual([]);
      });
    } else {
      test('goes on after a statement that has failed', async (fixture) => {
        await fixture.transaction(async (transaction) => {
          await insert(fixture, transaction, 'a');
          await expect(fixture.execute(transaction, failing)).rejects.toThrow();
          await insert(fixture, transaction, 'b');
        });

        expect(await stored(fixture)).toEqual(['a', 'b']);
      });
    }

    if (database === 'mysql') {
      test('refuses a transaction that the server has ended, as after a deadlock', async (fixture) => {
        let joining: unknown;
        const work = fixture.transaction(async (transaction) => {
          await insert(fixture, transaction, 'a');
          await fixture.execute(transaction, 'ROLLBACK');
          joining = await codeOf(insert(fixture, transaction, 'b'));
        });
        await work.catch(() => undefined);

        expect([ENDED, WRONG_TRANSACTION].filter((one) => one === joining)).toHaveLength(1);
        expect(await stored(fixture)).toEqual([]);
      });
    }

    if (defersKeys) {
      test('writes nothing when the COMMIT fails', async (fixture) => {
        const work = fixture.transaction(async (transaction) => {
          await insert(fixture, transaction, 'a');
          const orphan = `INSERT INTO ${TABLE} (id, parent) VALUES ('b', 'nobody')`;
          await fixture.execute(transaction, orphan);
        });

        await expect(work).rejects.toThrow();
        expect(await stored(fixture)).toEqual([]);
      });
    }

    test('refuses a transaction that has ended', async (fixture) => {
      let ended: Transaction | undefined;
      await fixture.transaction(async (transaction) => {
        ended = transaction;
        await insert(fixture, transaction, 'a');
      });

      const code = await codeOf(insert(fixture, ended, 'late'));
      expect([ENDED, WRONG_TRANSACTION].filter((one) => one === code)).toHaveLength(1);
      expect(await stored(fixture)).toEqual(['a']);
    });

    // Together, 200 do not wait, and are rolled back.
    const [oneByOne, atOnce] = [101, 200];
    const ending = (fixture: Fixture, forgotten: Promise<unknown>[]) => async (round: number) => {
      const work = fixture.transaction(async (transaction) => {
        const id = `${round}`.padStart(3, '0');
        // Every second round only: a transaction that has written before is another case, and so is work that the
        // application does before it throws.
        if (round % 2 === 0) {
          await fixture.execute(transaction, `INSERT INTO ${TABLE} (id) VALUES ('${id} before')`);
        }
        if (round % 3 === 0) return insert(fixture, transaction, id, round % 5);
        forgotten.push(codeOf(insert(fixture, transaction, id, round % 7)));
        for (let tick = round % 4; tick > 0; tick--) await Promise.resolve();
        throw new Error('rolled back');
      });
      await work.catch((error: unknown) => {
        if ((error as Error).message !== 'rolled back') throw error;
      });
    };
    const committedOf = (rounds: number) =>
      Array.from({ length: rounds }, (_, round) => round)
        .filter((round) => round % 3 === 0)
        .flatMap((round) => {
          const id = `${round}`.padStart(3, '0');
          return round % 2 === 0 ? [id, `${id} before`] : [id];
        });
    // The writes of a client before the rollback are undone. Some clients never answer a statement after the end of the
    // transaction.
    const checkForgotten = async (
      fixture: Fixture,
      rounds: number,
      forgotten: readonly Promise<unknown>[],
    ) => {
      const codes = new Set<unknown>();
      const settled = forgotten.map(async (one) => codes.add(await one));
      const fence = async () => {
        for (let round = 0; round < 20; round++) await fixture.transaction(async () => null);
      };
      await Promise.race([Promise.all(settled), fence()]);
      for (const known of ['none', ENDED, WRONG_TRANSACTION]) codes.delete(known);
      expect([...codes]).toEqual([]);
      expect(await stored(fixture)).toEqual(committedOf(rounds));
    };

    test('writes nothing that a transaction does not wait for before its rollback', async (fixture) => {
      const forgotten: Promise<unknown>[] = [];
      for (let round = 0; round < oneByOne; round++) await ending(fixture, forgotten)(round);

      await checkForgotten(fixture, oneByOne, forgotten);
    });

    test('writes it into no other transaction of the connection either', async (fixture) => {
      const forgotten: Promise<unknown>[] = [];
      const all = Array.from({ length: atOnce }, (_, round) => round);
      const run = ending(fixture, forgotten);
      // Twenty at once.
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          for (let round = all.shift(); round !== undefined; round = all.shift()) await run(round);
        }),
      );

      await checkForgotten(fixture, atOnce, forgotten);
    }, 3);

    test('knows a transaction again after something else was waited for', async (fixture) => {
      let late: Promise<unknown> | undefined;
      const first = fixture.transaction(async (transaction) => {
        const { hold } = await fixture.client.join(transaction);
        const assertHeld = await hold?.();
        await assertHeld?.();
        await insert(fixture, transaction, 'held');
        late = Promise.resolve(assertHeld);
      });
      await first;
      const assertHeld = (await late) as (() => Promise<void>) | undefined;
      await fixture.transaction(async (transaction) => {
        await insert(fixture, transaction, 'next');
        if (assertHeld !== undefined) expect(await codeOf(assertHeld())).toBe(ENDED);
      });

      expect(await stored(fixture)).toEqual(['held', 'next']);
    }, 1);

    test('refuses the client itself, which is in no transaction', async (fixture) => {
      for (const wrong of [fixture.bare, {}, undefined, null, 'transaction']) {
        expect(await codeOf(insert(fixture, wrong, 'a'))).toBe(WRONG_TRANSACTION);
      }
      expect(await stored(fixture)).toEqual([]);
    });

    test('refuses a transaction of another database, which stays usable', async (fixture) => {
      const answer = await fixture.elsewhere(async (transaction) => {
        expect(await codeOf(insert(fixture, transaction, 'a'))).toBe('THORN_DATABASE_OTHER');
        expect(await codeOf(insert(fixture, transaction, 'a'))).toBe('THORN_DATABASE_OTHER');
        await fixture.execute(transaction, 'SELECT 1');
        return 'committed';
      });

      expect(answer).toBe('committed');
      await fixture.transaction((transaction) => insert(fixture, transaction, 'b'));
      expect(await stored(fixture)).toEqual(['b']);
    });

    if (readOnly !== undefined) {
      test('refuses a transaction that may not write, as one of a replica', async (fixture) => {
        let refusal: unknown;
        const work = fixture.transaction(async (transaction) => {
          await fixture.execute(transaction, readOnly);
          refusal = await codeOf(insert(fixture, transaction, 'a'));
        });
        await work.catch(() => undefined);

        expect(refusal).toBe('THORN_DATABASE_OTHER');
        expect(await stored(fixture)).toEqual([]);
      });
    }

    test('needs no connection beside that of the transaction', async (fixture) => {
      await fixture.transaction((transaction) => insert(fixture, transaction, 'a'));
      await fixture.transaction((transaction) => insert(fixture, transaction, 'b'));

      expect(await stored(fixture)).toEqual(['a', 'b']);
    }, 1);

    test('sends texts, numbers and null as they are, and reads them so', async (fixture) => {
      const id = `'$1" ? \\ ü\u{1f98a}`;
      const body = '{"a": [1, "$2", null]}';
      const { asText } = fixture.client.dialect;
      const select = `SELECT id, ${asText('number')} AS number, ${asText('body')} AS body, parent FROM ${TABLE} ORDER BY id = 'exact'`;
      const expected = [
        { id, number: '1767225600000', body, parent: null },
        { id: 'exact', number: '9007199254740993', body: '"text"', parent: id },
      ];
      await fixture.transaction(async (transaction) => {
        const joined = await fixture.client.join(transaction);
        const kinds = ['text', 'bigint', 'json', 'text'] as const;
        const marks = kinds.map((kind) => joined.dialect.parameter(kind));
        const sql = `INSERT INTO ${TABLE} (id, number, body, parent) VALUES (${marks.join(', ')})`;
        await joined.run({ sql, parameters: [id, 1_767_225_600_000, body, null] });
        await joined.run({ sql, parameters: ['exact', '9007199254740993', '"text"', id] });
        const { rows } = await joined.run({ sql: select, parameters: [], answersRows: true });
        expect(rows.map((row) => ({ ...row }))).toEqual(expected);
      });

      expect(await fixture.query(select)).toEqual(expected);
    });

    test('repeats no values of a statement that fails, which may be secrets', async (fixture) => {
      let thrown: unknown;
      const work = fixture.transaction(async (transaction) => {
        const joined = await fixture.client.join(transaction);
        const sql = `INSERT INTO ${TABLE} (id, missing) VALUES (${joined.dialect.parameter('text')}, 1)`;
        thrown = await joined.run({ sql, parameters: ['whsec_c2VjcmV0'] }).catch((error) => error);
      });
      await work.catch(() => undefined);

      expect(thrown instanceof Error).toBe(true);
      expect(inspect(thrown, { depth: null }).includes('whsec_')).toBe(false);
    });

    test('answers rows under the names of the statement, and how many were written', async (fixture) => {
      await fixture.transaction(async (transaction) => {
        const joined = await fixture.client.join(transaction);
        const run = (sql: string, ...parameters: (string | number)[]) =>
          joined.run({ sql, parameters });
        const values = `VALUES (${joined.dialect.parameter('text')}, ${joined.dialect.parameter('bigint')})`;
        const into = `INSERT INTO ${TABLE} (id, number)`;
        // The answers are in the order of the calls.
        const [one, two, changed, removed, left] = await Promise.all([
          run(`${into} ${values}`, 'a', 1),
          run(`${into} SELECT CONCAT(id, '2'), number + 1 FROM ${TABLE} WHERE number = ?`, 1),
          run(`UPDATE ${TABLE} SET number = number + 1 WHERE number >= ?`, 1),
          run(`DELETE FROM ${TABLE} WHERE number = ?`, 2),
          joined.run({
            sql: `SELECT id AS the_id, number, 1 AS one FROM ${TABLE} WHERE number > ?`,
            parameters: [0],
            answersRows: true,
          }),
        ]);
        expect([one, two, changed, removed].map(({ affected }) => affected)).toEqual([1, 1, 2, 1]);
        expect(
          left.rows.map((row) => [row['the_id'], Number(row['number']), Number(row['one'])]),
        ).toEqual([['a2', 3, 1]]);
      });
    });

    test('takes a statement for what it is said to be, whatever words it has', async (fixture) => {
      await fixture.transaction(async (transaction) => {
        const joined = await fixture.client.join(transaction);
        const sql = `/* SELECT */ INSERT INTO ${TABLE} (id) VALUES (' RETURNING ')`;
        expect((await joined.run({ sql, parameters: [] })).affected).toBe(1);
      });
    });

    if (writesWithin) {
      test('answers what a part of the statement has written', async (fixture) => {
        await fixture.transaction(async (transaction) => {
          const joined = await fixture.client.join(transaction);
          const run = (sql: string, ...parameters: (string | number)[]) =>
            joined.run({ sql, parameters });
          const read = (sql: string, ...parameters: (string | number)[]) =>
            joined.run({ sql, parameters, answersRows: true });
          const values = 'VALUES (CAST(? AS text), CAST(? AS bigint))';
          const into = `INSERT INTO ${TABLE} (id, number)`;
          const both = await run(
            `WITH other AS (${into} ${values}) ${into} ${values}`,
            'c',
            3,
            'd',
            4,
          );
          expect(both.affected).toBe(1);
          const returned = await read(
            `UPDATE ${TABLE} SET number = number + 1 WHERE number > ? RETURNING id AS "theId"`,
            2,
          );
          expect(returned.affected).toBe(2);
          expect(returned.rows.map(({ theId }) => theId).toSorted()).toEqual(['c', 'd']);
          const counted = await read(
            `WITH removed AS (DELETE FROM ${TABLE} WHERE id = ? RETURNING number) SELECT number, 1 AS one FROM removed`,
            'd',
          );
          expect(counted.rows.map((row) => [Number(row['number']), Number(row['one'])])).toEqual([
            [5, 1],
          ]);
        });
      });
    }

    test('names tables of the library, and shows the driver below', async ({ client, query }) => {
      await query(`SELECT 1 FROM ${client.table('thorn_messages')} WHERE 1 = 0`);
      expect(client.driver()?.kind).toBe(driver);
      expect(client.dialect.name).toBe(database);
    });
  });
}
