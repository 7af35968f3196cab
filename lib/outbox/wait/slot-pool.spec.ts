import { describe, expect, it } from 'vitest';
import { LoopUtilization } from '../../common/loop-utilization.js';
import { type Slot, SlotPool } from './slot-pool.js';

class Load extends LoopUtilization {
  constructor(public busy: number) {
    super();
  }

  override sinceLast(): number {
    return this.busy;
  }
}

function acquireAll(slots: SlotPool, isRetry: boolean, now: number): Slot[] {
  const taken: Slot[] = [];
  for (let slot = slots.acquire(isRetry, now); slot !== null; slot = slots.acquire(isRetry, now)) {
    taken.push(slot);
  }
  return taken;
}

/** Takes all there are for a while. */
function acquireFor(slots: SlotPool, isRetry: boolean, begin: number, end: number): Slot[] {
  const taken: Slot[] = [];
  for (let now = begin; now < end; now += 5) taken.push(...acquireAll(slots, isRetry, now));
  return taken;
}

describe('Slots', () => {
  it('of a busy process are young 96 at once, and more as soon as they are old', () => {
    const slots = new SlotPool(1000, new Load(1));
    expect(acquireFor(slots, false, 0, 100)).toHaveLength(96);
    expect(acquireAll(slots, false, 100)).toHaveLength(96);
    expect(slots.inUse).toBe(192);
  });

  it('become more step by step where the process has time to spare', () => {
    const slots = new SlotPool(1000, new Load(0.1));
    expect(acquireAll(slots, false, 0)).toHaveLength(96);
    expect([slots.untilNext(2), slots.untilNext(20)]).toEqual([3, 5]);
    expect(acquireAll(slots, false, 4)).toHaveLength(0);
    expect(acquireAll(slots, false, 5)).toHaveLength(24);
    acquireFor(slots, false, 10, 100);
    expect(slots.inUse).toBe(1000);
    expect(slots.untilNext(2000)).toBeNull();
  });

  it('become fewer again once the process is busy, with room left or not', () => {
    for (const released of [0, 100]) {
      const load = new Load(0);
      const slots = new SlotPool(1000, load);
      const taken = acquireFor(slots, false, 0, 30);
      for (const slot of taken.splice(0, released)) slots.release(slot);
      load.busy = 1;
      for (let now = 30; now < 99; now += 3) {
        const slot = slots.acquire(false, now);
        if (slot !== null) slots.release(slot);
      }
      for (const slot of taken) slots.release(slot);
      expect(acquireAll(slots, false, 99)).toHaveLength(96);
    }
  });

  it('are the fewest again for a burst after a pause', () => {
    const slots = new SlotPool(1000, new Load(0));
    for (const slot of acquireFor(slots, false, 0, 200)) slots.release(slot);
    expect(acquireAll(slots, false, 60_000)).toHaveLength(96);
  });

  it('never exceed the window, however old they are', () => {
    for (const load of [0, 1]) {
      const slots = new SlotPool(300, new Load(load));
      expect(acquireFor(slots, false, 0, 1000)).toHaveLength(300);
      expect(slots.untilNext(2000)).toBeNull();
    }
  });

  it('go to the next once they are released, young or not', () => {
    const slots = new SlotPool(1000, new Load(1));
    const [first] = acquireAll(slots, false, 0);
    slots.release(first!);
    expect(acquireAll(slots, false, 0)).toHaveLength(1);
    acquireAll(slots, false, 200);
    expect(slots.inUse).toBe(192);
  });

  it('are kept for first attempts, a quarter of them', () => {
    for (const load of [0, 1]) {
      const slots = new SlotPool(100, new Load(load));
      expect(acquireFor(slots, true, 0, 5000)).toHaveLength(75);
      expect(acquireAll(slots, false, 5000)).toHaveLength(25);
    }
  });

  it('are counted right over many', () => {
    const slots = new SlotPool(10, new Load(0));
    for (let now = 0; now < 50_000; now++) slots.release(slots.acquire(now % 2 === 0, now)!);
    expect(slots.inUse).toBe(0);
    expect(acquireAll(slots, false, 60_000)).toHaveLength(10);
  });
});
