import { describe, expect, it } from 'vitest';
import { type Slot, SlotPool } from './slot-pool.js';

function acquireAll(slots: SlotPool, isRetry: boolean, now: number): Slot[] {
  const taken: Slot[] = [];
  for (let slot = slots.acquire(isRetry, now); slot !== null; slot = slots.acquire(isRetry, now)) {
    taken.push(slot);
  }
  return taken;
}

describe('Slots', () => {
  it('lets 128 be young at once, and more as soon as they have settled', () => {
    const slots = new SlotPool(1000);
    expect(acquireAll(slots, false, 0)).toHaveLength(128);
    expect(slots.untilNext(40)).toBe(60);
    expect(acquireAll(slots, false, 99)).toHaveLength(0);
    expect(acquireAll(slots, false, 100)).toHaveLength(128);
    expect(slots.inUse).toBe(256);
  });

  it('never lets more than the window be taken, however old they are', () => {
    const slots = new SlotPool(300);
    let taken = 0;
    for (let now = 0; now < 1000; now += 100) taken += acquireAll(slots, false, now).length;
    expect(taken).toBe(300);
    expect(slots.untilNext(2000)).toBeNull();
  });

  it('gives a freed slot to the next, young or not', () => {
    const slots = new SlotPool(1000);
    const [first] = acquireAll(slots, false, 0);
    slots.release(first!);
    expect(acquireAll(slots, false, 0)).toHaveLength(1);
    acquireAll(slots, false, 200);
    expect(slots.inUse).toBe(256);
  });

  it('keeps a quarter for first attempts', () => {
    const slots = new SlotPool(100);
    expect(acquireAll(slots, true, 0)).toHaveLength(75);
    expect(acquireAll(slots, true, 5000)).toHaveLength(0);
    expect(acquireAll(slots, false, 5000)).toHaveLength(25);
  });

  it('counts right over many', () => {
    const slots = new SlotPool(10);
    for (let now = 0; now < 50_000; now++) slots.release(slots.acquire(now % 2 === 0, now)!);
    expect(slots.inUse).toBe(0);
    expect(acquireAll(slots, false, 60_000)).toHaveLength(10);
  });
});
