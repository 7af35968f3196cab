import { expect, it } from 'vitest';
import { defineTableEvents } from './define-table-events.js';

declare class Decimal {
  toFixed(places?: number): string;
  plus(other: Decimal): Decimal;
}

interface Order {
  id: number;
  partnerId: string;
  state: 'NEW' | 'PAID';
  total: Decimal;
  views: bigint;
  file: Uint8Array;
  address: { city: string } | null;
  createdAt: Date;
  paidAt: Date | null;
}

/** Held by the compiler, and never called: what must not compile stands below @ts-expect-error. */
function declarations() {
  defineTableEvents<Order>('orders', {
    key: 'id',
    owner: 'partnerId',
    ref: '/orders/{id}',
    orderBy: true,
    omit: ['file'],
    payload: (row, { changes, before }) => {
      const texts: string[] = [row.total, row.views, row.file, row.createdAt];
      const paid: string | null = row.paidAt;
      const was: string | undefined = before?.createdAt;
      const from: string | null | undefined = changes.paidAt?.from;
      return { texts, paid, was, from, city: row.address?.city, state: row.state };
    },
    events: {
      'order.placed': { on: 'create', owner: ({ partnerId }) => partnerId },
      'order.paid': { on: ['create', { change: ['state'] }], when: { state: { nowEq: 'PAID' } } },
      'order.moved': { on: 'change', when: { address: { city: { nowEq: 'Rome' } } } },
      'order.late': { on: 'change', when: { changes: { paidAt: { to: { gt: '2026' } } } } },
    },
  });
  defineTableEvents<Order>('orders', { key: ['partnerId', 'id'], events: {} });
  defineTableEvents('orders', {
    key: 'id',
    owner: 'partner_id',
    payload: (row) => ({ id: row['id'] }),
    events: { 'order.placed': { on: 'create' } },
  });
  // @ts-expect-error no key
  defineTableEvents<Order>('orders', { events: {} });
  // @ts-expect-error no such column
  defineTableEvents<Order>('orders', { key: 'idd', events: {} });
  // @ts-expect-error no such column
  defineTableEvents<Order>('orders', { key: 'id', owner: 'partner', events: {} });
  // @ts-expect-error no such column
  defineTableEvents<Order>('orders', { key: 'id', omit: ['note'], events: {} });
  // @ts-expect-error a relation
  defineTableEvents<Order>('orders', { key: 'id', events: { a: { on: { added: 'address' } } } });
  // @ts-expect-error no such column
  defineTableEvents<Order>('orders', { key: 'id', events: { a: { on: { change: ['x'] } } } });
  const stateless = { on: 'change', when: { state: { nowEq: 'SENT' } } } as const;
  // @ts-expect-error no such state
  defineTableEvents<Order>('orders', { key: 'id', events: { a: stateless } });
  const dated = { on: 'change', when: { createdAt: { gt: new Date() } } } as const;
  // @ts-expect-error a time is a text
  defineTableEvents<Order>('orders', { key: 'id', events: { a: dated } });
  // @ts-expect-error what is of entities alone
  defineTableEvents<Order>('orders', { key: 'id', reread: true, events: {} });
}

it('is typed by the rows of the table', () => {
  expect(declarations).toBeTypeOf('function');
});
