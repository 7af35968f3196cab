import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../common/index.js';
import type { ReportedChange, ReportedRow } from '../../database/triggers/reported-table.js';
import { MessagePipeline } from '../../dispatch/index.js';
import { disabled } from '../../dispatch/index.js';
import type { TableOptions } from '../../event/index.js';
import { Codecs, type Message, MessageFactory } from '../../message/index.js';
import { EntityMessages } from '../messages/entity-messages.js';
import { defineTableEvents } from './define-table-events.js';
import { PlainTables } from './plain-tables.js';

interface Order {
  id: number;
  partnerId: string;
  state: string;
  total: string;
  note: string | null;
}

const COLUMNS = [
  { name: 'id', type: 'integer' },
  { name: 'partner_id', type: 'text' },
  { name: 'state', type: 'text' },
  { name: 'total', type: 'numeric' },
  { name: 'note', type: 'text' },
];

const ORDER: ReportedRow = { id: 5, partner_id: 'alice', state: 'NEW', total: '10.50' };

const EVENTS: TableOptions<Order>['events'] = {
  'order.placed': { on: 'create' },
  'order.changed': { on: 'change' },
  'order.paid': { on: 'change', when: { state: { nowEq: 'PAID' } } },
  'order.removed': { on: 'delete' },
};

function tablesOf(options: Partial<TableOptions<Order>> = {}): PlainTables {
  const orders = defineTableEvents<Order>('orders', {
    key: 'id',
    columns: { partnerId: 'partner_id' },
    owner: 'partnerId',
    omit: ['note'],
    payload: (row, { changes, before }) => ({ ...row, changes, was: before?.state ?? null }),
    events: EVENTS,
    ...options,
  });
  const clock = new SystemClock();
  const factory = new MessageFactory(clock, new Codecs());
  const { useFactory } = disabled();
  const pipeline = new MessagePipeline(useFactory() as never, clock);
  const tables = new PlainTables([orders], new EntityMessages(factory, pipeline));
  tables.describe('orders', COLUMNS);
  return tables;
}

let last = 0;

function change(
  before: ReportedRow | null,
  after: ReportedRow | null,
  transaction: string | null = null,
): ReportedChange {
  return { id: String(++last), transaction, table: 'orders', before, after };
}

const dataOf = ({ text }: Message) => (JSON.parse(text) as { data: unknown }).data;
const namesOf = (messages: readonly Message[]) => messages.map(({ event }) => event);

describe('PlainTables', () => {
  it('refuses a payload that reads a column of omit, with the fix', async () => {
    const made = tablesOf({ payload: ({ note }) => ({ note }) }).messagesOf([change(null, ORDER)]);
    await expect(made).rejects.toThrow(
      "defineTableEvents('orders'): a function reads note, which triggers do not report because of omit. " +
        'Take note out of omit; to keep it from payloads alone, name it in hidden',
    );
  });

  it('makes messages of what happened to a row, with its properties', async () => {
    const messages = await tablesOf().messagesOf([
      change(null, ORDER),
      change(ORDER, { ...ORDER, state: 'PAID' }),
      change({ ...ORDER, state: 'PAID' }, null),
    ]);

    expect(namesOf(messages)).toEqual([
      ...['order.placed', 'order.changed', 'order.paid', 'order.removed'],
    ]);
    expect(messages.map(({ owner }) => owner)).toEqual(['alice', 'alice', 'alice', 'alice']);
    expect(messages.map(dataOf)).toEqual([
      { id: 5, partnerId: 'alice', state: 'NEW', total: '10.50', changes: {}, was: null },
      ...Array.from({ length: 2 }, () => ({
        ...{ id: 5, partnerId: 'alice', state: 'PAID', total: '10.50', was: 'NEW' },
        changes: { state: { from: 'NEW', to: 'PAID' } },
      })),
      { id: 5, partnerId: 'alice', state: 'PAID', total: '10.50', changes: {}, was: 'PAID' },
    ]);
  });

  it('never shows an omitted column, also of a trigger that still writes it down', async () => {
    const messages = await tablesOf().messagesOf([change(null, { ...ORDER, note: 'secret' })]);

    expect(messages[0]!.text).not.toContain('secret');
  });

  it('makes one message of a row and transaction', async () => {
    const paid = { ...ORDER, state: 'PAID' };
    const messages = await tablesOf().messagesOf([
      change(null, ORDER, '7'),
      change(ORDER, paid, '7'),
      change({ ...ORDER, id: 6 }, { ...paid, id: 6 }, '7'),
      change({ ...paid, id: 6 }, { ...ORDER, id: 6 }, '7'),
      change(null, { ...ORDER, id: 8 }, '7'),
      change({ ...ORDER, id: 8 }, null, '7'),
    ]);

    expect(messages.map((one) => [one.event, dataOf(one)])).toEqual([
      ['order.placed', expect.objectContaining({ id: 5, state: 'PAID' })],
    ]);
  });

  it('shows each transaction its own row, in the order of the changes of the row', async () => {
    const [first, second, third] = ['A', 'B', 'C'].map((state) => ({ ...ORDER, state }));
    const other = { ...ORDER, id: 9 };
    // Transaction 11 begins first, and changes the row after 12 has committed.
    const messages = await tablesOf().messagesOf([
      change(null, other, '11'),
      change(first!, second!, '12'),
      change(second!, third!, '11'),
    ]);

    expect(messages.map((one) => [one.event, (dataOf(one) as Order).state])).toEqual([
      ['order.placed', 'NEW'],
      ['order.changed', 'B'],
      ['order.changed', 'C'],
    ]);
  });

  it('compares numbers by value, and sends nothing of what is the same', async () => {
    const messages = await tablesOf().messagesOf([change(ORDER, { ...ORDER, total: '10.5' })]);

    expect(messages).toEqual([]);
  });

  it('orders messages by the key of the row', async () => {
    const tables = tablesOf({ orderBy: true });
    const messages = await tables.messagesOf([change(null, ORDER)]);

    expect(messages[0]!.key).toBe('orders:5');
  });

  it('reacts to the change of some columns alone', async () => {
    const events = { 'order.retotalled': { on: { change: ['total', 'partnerId'] } } } as const;
    const messages = await tablesOf({ events }).messagesOf([
      change(ORDER, { ...ORDER, state: 'PAID' }),
      change(ORDER, { ...ORDER, total: '11' }),
    ]);

    expect(messages.map(dataOf)).toEqual([expect.objectContaining({ total: '11' })]);
  });

  it('refuses a change without a key, naming the table', async () => {
    const { id: _, ...keyless } = ORDER;
    await expect(async () => tablesOf().messagesOf([change(null, keyless)])).rejects.toThrow(
      'key of the table orders is missing in the change',
    );
  });

  it.each([true, false])(
    'throws what a function throws, propagateErrors: %s',
    async (propagateErrors) => {
      const fails = { payload: () => JSON.parse('{') as unknown, propagateErrors };

      await expect(tablesOf(fails).messagesOf([change(null, ORDER)])).rejects.toThrow(SyntaxError);
    },
  );

  it.each([
    [{ key: 'idd' }, 'key names idd, which is not a column of the table. Its columns: id, partner'],
    [{ omit: ['nota'] }, 'omit names nota, which is not a column of the table'],
    [{ columns: { partnerId: 'partner' } }, 'columns names partner, which is not a column'],
    [{ hidden: ['stat'] }, "defineTableEvents('orders'): hidden names stat, which is not a prop"],
    [{ owner: 'partner.id' }, 'the table orders, event order.placed: owner names partner.id, but'],
    [{ orderBy: 'tenant' }, 'the table orders, event order.placed: orderBy names tenant, but'],
    [{ ref: '/o/{no}' }, 'the table orders, event order.placed: ref names no, but no is not a'],
    [
      { events: { 'order.x': { on: 'change', when: { stat: { nowEq: 'A' } } } } },
      "The condition of defineTableEvents('orders'), event order.x: stat is not a field",
    ],
    [
      { events: { 'order.x': { on: { change: ['stat'] } } } },
      'the table orders, event order.x: on names stat, which is not a field of the table orders',
    ],
  ])('refuses columns that are not there: %j', (options, text) => {
    expect(() => tablesOf(options as object)).toThrow(text);
  });

  const day = new Date('2026-02-03T10:20:30Z');
  it.each<[object, string]>([
    [{ note: { gt: day } }, 'note.gt can never hold: it is a Date, and rows have times as texts'],
    [{ note: { gt: { $date: '2026-02-03T10:20:30Z' } } }, 'note.gt can never hold: it is a Date'],
    [{ note: { nowIn: ['x', day] } }, 'note.nowIn can never hold: it has a Date, and rows have'],
    [{ note: { notIn: new Set([day]) } }, 'note.notIn has no effect: it has a Date, and rows have'],
    [{ note: { ne: day } }, 'note.ne has no effect: it is a Date, and rows have times as texts'],
    [{ changes: { note: { to: { gt: day } } } }, 'changes.note.to.gt can never hold: it is a Date'],
    [
      { changes: { id: { from: { gt: day } } } },
      'changes.id.from.gt can never hold: it is a Date, and the row',
    ],
    [{ NOT: { note: day } }, 'note.eq can never hold: it is a Date'],
    [
      { id: { gt: day } },
      'id.gt can never hold: it is a Date, and the row has a number. Write one',
    ],
    [{ note: { eq: new Set(['a']) } }, 'note.eq can never hold: it is a Set, and rows have lists'],
    [
      { note: { eq: new Map([['a', 1]]) } },
      'note.eq can never hold: it is a Map, and rows have obj',
    ],
    [
      { note: { eq: Uint8Array.of(1) } },
      'note.eq can never hold: it is a value of bytes, and rows',
    ],
  ])('refuses a condition on %o, which no row fulfils', (when, text) => {
    const events = { 'order.x': { on: 'change', when } };
    expect(() => tablesOf({ omit: [], events: events as never })).toThrow(text);
  });

  it('takes values that rows can have', () => {
    const when = { id: { in: new Set([1, 2n]) }, total: { gt: 1n }, note: { isNot: null } };
    const events = { 'order.x': { on: 'change', when } };
    expect(() => tablesOf({ omit: [], events: events as never })).not.toThrow();
  });

  it('knows no event before the columns are known', () => {
    const tables = tablesOf();
    expect(tables.eventsOf('orders').map(({ name }) => name)).toEqual(Object.keys(EVENTS));
    expect(tables.eventsOf('invoices')).toEqual([]);
  });
});
