import { describe, expect, it } from 'vitest';
import type { MessageContents } from './message-contents.js';
import type { Ticket } from './message-relay.js';
import { batchesOf, ticketsOf } from './ticket-batch.js';

let count = 0;

function ticket(characters?: number, isStored?: boolean): Ticket {
  const contents = { body: 'x'.repeat(characters ?? 0) } as MessageContents;
  return {
    id: `msg_${count++}`,
    source: 0,
    lease: 'lease',
    ...(characters === undefined ? {} : { contents }),
    ...(isStored === undefined ? {} : { isStored }),
  };
}

const sizes = (tickets: readonly Ticket[]) =>
  batchesOf(tickets).map((parcel) => parcel.tickets.length);

describe('parcels', () => {
  it('hold ten messages at most, in their order', () => {
    const tickets = Array.from({ length: 23 }, () => ticket());
    expect(sizes(tickets)).toEqual([10, 10, 3]);
    expect(batchesOf(tickets).flatMap((parcel) => parcel.tickets)).toEqual(tickets);
    expect(batchesOf([])).toEqual([]);
  });

  it('hold 256 KiB of contents at most, but for a message that is larger alone', () => {
    const tickets = [100, 100, 100, 900, 10, 10].map((kibibytes) => ticket(kibibytes * 1024));
    expect(sizes(tickets)).toEqual([2, 1, 1, 2]);
  });

  it('keep what is stored nowhere from workers that would not store it', () => {
    const [stored, unstored] = [ticket(1), ticket(1, false)];
    const parcels = batchesOf([unstored, stored]);
    expect(parcels).toEqual([
      { version: 1, tickets: [stored] },
      { version: 2, tickets: [unstored] },
    ]);
    expect(parcels.flatMap(ticketsOf)).toEqual([stored, unstored]);
  });

  it.each([
    null,
    'nonsense',
    { version: 3, tickets: [] },
    { version: 1, tickets: {} },
    { version: 1, tickets: [{ id: 'msg_1', source: 0 }] },
    { version: 2, tickets: [{ id: 'msg_1', source: 0, lease: 'x', contents: 'text' }] },
  ])('of another kind are refused: %o', (parcel) => {
    expect(() => ticketsOf(parcel)).toThrow(/Not of this version/);
  });
});
