import { describe, expect, it } from 'vitest';
import { newId, timeFromId } from '../../common/id.js';
import { deliveryId, deliveryKeys, FIRST_KEY, givenId, idFrom, keyOf } from './keys.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[57][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('keyOf', () => {
  it('is the UUID of a generated id, and a hash of any other', () => {
    const id = newId('msg_', 1_700_000_000_000);
    expect(keyOf('msg_', id)).toBe(id.slice(4));
    for (const text of ['order-7', 'msg_order-7', `sub_${id.slice(4)}`, id.toUpperCase()]) {
      expect(keyOf('msg_', text)).toMatch(UUID);
      expect(keyOf('msg_', text)).not.toBe(id.slice(4));
    }
    expect(keyOf('msg_', 'order_a')).not.toBe(keyOf('msg_', 'order_A'));
  });

  it('leads back to the id', () => {
    for (const id of [newId('msg_', 1), 'order-7', `msg_${FIRST_KEY}`]) {
      expect(idFrom('msg_', keyOf('msg_', id), givenId('msg_', id))).toBe(id);
    }
    expect(givenId('msg_', newId('msg_', 1))).toBeNull();
  });
});

describe('deliveryId', () => {
  const time = 1_700_000_000_000;

  it('is the same for the same pair, and another for every other', () => {
    const messages = ['order-7', ...Array.from({ length: 100 }, () => newId('msg_', time))];
    const subscribers = ['crm', ...Array.from({ length: 100 }, () => newId('sub_', time))];
    const all = () =>
      messages.flatMap((id) =>
        subscribers.map((subscriber) => deliveryId({ id, time }, subscriber)),
      );
    expect(new Set(all()).size).toBe(101 * 101);
    expect(all()).toEqual(all());
  });

  it('is the same in every release', () => {
    const id = 'msg_0198c0de-0000-7abc-8def-0123456789ab';
    expect(deliveryId({ id, time }, 'crm')).toBe('dlv_018bcfe5-6800-7abc-9f8e-cfcc4ef117db');
    expect(deliveryId({ id: 'order-7', time }, 'crm')).toBe(
      'dlv_018bcfe5-6800-7237-804c-3e03d3151bb5',
    );
  });

  it('follows the time of a message', () => {
    const made = [1, 2].map((later) => deliveryId({ id: 'order-7', time: time + later }, 'crm'));
    expect(made.map(timeFromId)).toEqual([time + 1, time + 2]);
  });

  it('has the time of the message, and lies in the range of the message', () => {
    for (const id of ['order-7', newId('msg_', time)]) {
      const [first, last] = deliveryKeys({ id, time });
      for (const subscriber of ['crm', newId('sub_', 1), newId('sub_', 2)]) {
        const made = deliveryId({ id, time }, subscriber);
        const key = keyOf('dlv_', made);
        expect(made).toBe(`dlv_${key}`);
        expect(key).toMatch(UUID);
        expect(timeFromId(made)).toBe(time);
        expect([first, key, last].toSorted()).toEqual([first, key, last]);
      }
    }
  });
});
