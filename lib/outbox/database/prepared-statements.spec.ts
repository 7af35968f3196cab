import { describe, expect, it } from 'vitest';
import { PreparedStatements } from './prepared-statements.js';

const INSERT = 'INSERT INTO note (text) VALUES ($1)';

/** Those of a connection that a server, or a pooler, has given a process of that number. */
function connected(processID: number | null, answered: number): PreparedStatements {
  const statements = new PreparedStatements({ processID });
  statements.question?.resolve([{ pid: answered }]);
  return statements;
}

describe('PreparedStatements', () => {
  it('prepares nothing until it is known where the connection leads', () => {
    const statements = new PreparedStatements({ processID: 7 });
    expect(statements.nameOf(INSERT)).toBeUndefined();
    statements.question!.resolve([{ pid: '7' }]);
    expect(statements.question).toBeUndefined();
    expect(statements.nameOf(INSERT)).toMatch(/^thorn_[0-9a-f]{32}$/);
    expect(statements.nameOf('DELETE FROM note')).not.toBe(statements.nameOf(INSERT));
    expect(statements.nameOf(INSERT)).toBe(statements.nameOf(INSERT));
  });

  it.each([
    ['another process than the server has', 7, 8],
    ['no process', null, 8],
  ])('prepares nothing behind a pooler, which tells %s', (_, told, answered) => {
    const statements = connected(told, answered);
    expect(statements.nameOf(INSERT)).toBeUndefined();
    expect(statements.question).toBeUndefined();
  });

  it('prepares a limited number of statements', () => {
    const statements = connected(7, 7);
    const names = Array.from({ length: 60 }, (_, n) => statements.nameOf(`SELECT ${n}`));
    expect(new Set(names).size).toBe(51);
    expect(names.at(-1)).toBeUndefined();
  });

  it.each(['DISCARD ALL', 'select 1; deallocate all', 'DEALLOCATE thorn_1'])(
    'prepares statements anew after %s',
    (sql) => {
      const statements = connected(7, 7);
      statements.confirm('thorn_1');
      statements.notice('COMMIT');
      expect(statements.isPrepared('thorn_1')).toBe(true);
      statements.notice(sql);
      expect(statements.isPrepared('thorn_1')).toBe(false);
    },
  );

  it.each([undefined, null, 'a text', { driverError: null }])(
    'prepares statements anew after a failure with %j in place of an error',
    (error) => {
      const statements = connected(7, 7);
      statements.confirm('thorn_1');
      statements.fail(error);
      expect(statements.isPrepared('thorn_1')).toBe(false);
    },
  );

  it('gives a statement the same name on each connection, in each copy of the library', () => {
    const [first, second] = [connected(7, 7), connected(8, 8)];
    second.nameOf('DELETE FROM note');
    expect(second.nameOf(INSERT)).toBe(first.nameOf(INSERT));
  });

  it('prepares statements anew after a failure, and none once a server has forgotten one', () => {
    const [first, second] = [connected(7, 7), connected(8, 8)];
    first.confirm('thorn_1');
    first.fail(Object.assign(new Error('duplicate key'), { driverError: { code: '23505' } }));
    expect(first.isPrepared('thorn_1')).toBe(false);
    expect(first.nameOf(INSERT)).toBeDefined();
    second.fail(Object.assign(new Error('no such statement'), { driverError: { code: '26000' } }));
    expect(first.nameOf(INSERT)).toBeUndefined();
    expect(second.nameOf(INSERT)).toBeUndefined();
  });
});
