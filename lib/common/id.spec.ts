import { describe, expect, it } from 'vitest';
import { newId } from './id.js';

describe('newId', () => {
  it('is a UUIDv7 of the given time behind its prefix', () => {
    const id = newId('msg_', Date.UTC(2026, 0, 2, 3, 4, 5, 678));

    expect(id).toMatch(/^msg_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.slice(4).replaceAll('-', '').slice(0, 12), 16)).toBe(
      Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    );
  });

  it('never repeats itself within a millisecond, and sorts by time across them', () => {
    const sameMoment = Array.from({ length: 10_000 }, () => newId('dlv_', 1_700_000_000_000));

    expect(new Set(sameMoment).size).toBe(10_000);
    expect(newId('dlv_', 1_700_000_000_001) > sameMoment.sort().at(-1)!).toBe(true);
  });

  it.each([1_700_000_000_000, 1_600_000_000_000])(
    'sorts as made within the millisecond %i',
    (time) => {
      const ids = Array.from({ length: 2_000 }, (_, at) =>
        newId(at % 3 === 0 ? 'sub_' : 'msg_', time),
      );
      const bare = ids.map((id) => id.slice(4));
      expect(bare).toEqual([...bare].sort());
      for (const id of ids)
        expect(id).toMatch(
          /^..._[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
    },
  );
});
