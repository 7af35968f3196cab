import { describe, expect, it } from 'vitest';
import type { Ticket } from './message-relay.js';
import { batchesOf, ticketsOf } from './ticket-batch.js';

function tickets(count: number): readonly Ticket[] {
  return Array.from({ length: count }, (_, at) => ({ id: `msg_${at}`, lease: 'lease' }));
}

describe('batches of tickets', () => {
  it('hold ten tickets at most, in their order', () => {
    const all = tickets(23);
    const batches = batchesOf(all);
    expect(batches.map((batch) => batch.tickets.length)).toEqual([10, 10, 3]);
    expect(batches.flatMap(ticketsOf)).toEqual(all);
    expect(batchesOf([])).toEqual([]);
  });

  it.each([
    null,
    'nonsense',
    { version: 2, tickets: [] },
    { version: 1, tickets: {} },
    { version: 1, tickets: [{ id: 'msg_1' }] },
  ])('are refused in another form: %o', (batch) => {
    expect(() => ticketsOf(batch)).toThrow(/Not a batch of tickets/);
  });
});
