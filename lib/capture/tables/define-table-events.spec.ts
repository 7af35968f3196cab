import { describe, expect, it } from 'vitest';
import { defineTableEvents } from './define-table-events.js';

interface Order {
  id: number;
  partnerId: string;
  state: string;
  note: string | null;
}

const VALID = { key: 'id', events: { 'order.placed': { on: 'create' } } };

/** As JavaScript could call it. */
function declare(options: unknown, name: unknown = 'orders') {
  return () => defineTableEvents(name as string, options as never);
}

describe('defineTableEvents()', () => {
  it('names the columns as the database calls them, and lays what is shared under each event', () => {
    const orders = defineTableEvents<Order>('sales.orders', {
      key: ['partnerId', 'id'],
      columns: { partnerId: 'partner_id', note: 'internal_note' },
      omit: ['note'],
      timeout: 100,
      events: { 'order.placed': { on: 'create' }, 'order.gone': { on: 'delete', timeout: 200 } },
    });

    expect(orders).toMatchObject({
      name: 'sales.orders',
      key: ['partner_id', 'id'],
      omit: ['internal_note'],
      events: [
        { name: 'order.placed', options: { on: 'create', timeout: 100 } },
        { name: 'order.gone', options: { on: 'delete', timeout: 200 } },
      ],
    });
  });

  it('takes any name for a table', () => {
    expect(declare(VALID, 'orders"; drop')).not.toThrow();
  });

  it.each([
    [undefined, 'The options of defineTableEvents('],
    [
      { ...VALID, kez: 1 },
      "Unknown option `kez` in defineTableEvents('orders'). Valid options: pay",
    ],
    [{ ...VALID, relations: ['a'] }, 'Unknown option `relations`'],
    [{ ...VALID, key: undefined }, "`key` of defineTableEvents('orders') must be a column such as"],
    [{ ...VALID, key: [] }, "must be a column such as 'id', or a list of columns, not []"],
    [{ ...VALID, key: ['id', 'id'] }, 'or a list of columns, not ["id","id"]'],
    [{ ...VALID, omit: 'note' }, "`omit` of defineTableEvents('orders') must be a list of columns"],
    [{ ...VALID, columns: { id: 1 } }, '`columns` of defineTableEvents('],
    [{ ...VALID, hidden: 'note' }, '`hidden` of defineTableEvents('],
    [{ ...VALID, owner: 5 }, '`owner` of defineTableEvents('],
    [
      { ...VALID, events: {} },
      "`events` of defineTableEvents('orders') must be an object of events",
    ],
    [{ ...VALID, events: { 'order.placed': 'create' } }, '`events` of defineTableEvents('],
    [
      { ...VALID, events: { 'order placed': { on: 'create' } } },
      'event order placed: event must be',
    ],
    [
      { ...VALID, events: { a: { on: 'creation' } } },
      "`on` of defineTableEvents('orders'), event a",
    ],
    [
      { ...VALID, events: { a: { on: { added: 'tags' } } } },
      "{ change: ['field'] } or a list of th",
    ],
    [{ ...VALID, events: { a: { on: 'create', softRemoval: false } } }, '`softRemoval`'],
    [{ ...VALID, events: { a: { on: 'create', when: {} } } }, 'event a: The condition is empty'],
    [
      { ...VALID, omit: ['id'] },
      "defineTableEvents('orders'): key names id, which triggers do not report",
    ],
    [
      { ...VALID, omit: ['b'], owner: 'b' },
      'event order.placed: owner names b, which triggers do not report',
    ],
    [
      { ...VALID, omit: ['b'], ref: '/o/{b}' },
      'event order.placed: ref names b, which triggers do not report',
    ],
    [
      { ...VALID, omit: ['b'], orderBy: 'b' },
      'event order.placed: orderBy names b, which triggers do',
    ],
    [
      { ...VALID, omit: ['b'], events: { 'a.{b}': { on: 'create' } } },
      'event a.{b}: the name names b, which triggers do not report',
    ],
    [
      { ...VALID, omit: ['b'], events: { a: { on: { change: ['c', 'b'] } } } },
      'event a: on names b, which triggers do not report because of omit. Take b out of omit',
    ],
    [
      { ...VALID, omit: ['b'], events: { a: { on: 'change', when: { b: { nowEq: 1 } } } } },
      "defineTableEvents('orders'), event a: when names b, which triggers do not report",
    ],
    [
      {
        ...VALID,
        omit: ['b'],
        events: { a: { on: 'change', when: { changes: { b: { to: { isNot: null } } } } } },
      },
      'event a: when names b, which triggers do not report',
    ],
  ])('refuses %j', (options, text) => {
    expect(declare(options)).toThrow(text);
  });

  it.each([[''], [null], [5], [{}]])('refuses %j in place of the name', (name) => {
    expect(declare(VALID, name)).toThrow(
      "defineTableEvents(): the first argument must be the name of a table, such as 'orders'",
    );
  });
});
