import { describe, expect, it } from 'vitest';
import { SystemClock } from '../common/index.js';
import { Codecs } from './codecs.js';
import type { EnvelopeOption } from './envelope.js';
import { type MessageDraft, MessageFactory } from './message.factory.js';

function bodyOf(draft: Partial<MessageDraft>, envelope?: EnvelopeOption): object {
  const options = envelope === undefined ? {} : { envelope };
  const factory = new MessageFactory(new SystemClock(), new Codecs(), options);
  return JSON.parse(factory.create({ event: 'order.paid', ...draft }).json.toString()) as object;
}

const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('the default envelope', () => {
  it('is that of Standard Webhooks', () => {
    expect(Object.entries(bodyOf({ data: { id: 7 } }))).toEqual([
      ['type', 'order.paid'],
      ['timestamp', timestamp],
      ['data', { id: 7 }],
    ]);
  });

  it('has ref and owner where the event declares them, also when they are empty', () => {
    expect(bodyOf({ ref: '/orders/7', audience: 'owner', owner: 'ada' })).toEqual({
      type: 'order.paid',
      timestamp,
      ref: '/orders/7',
      owner: 'ada',
      data: {},
    });
    expect(bodyOf({ ref: null, audience: 'owner', owner: null })).toMatchObject({
      ref: null,
      owner: null,
    });
  });
});

describe('the envelope thorn', () => {
  it('has the four properties of Thorn, whatever the event declares', () => {
    expect(bodyOf({ ref: '/orders/7', audience: 'owner', owner: 'ada' }, 'thorn')).toEqual({
      event: 'order.paid',
      ref: '/orders/7',
      sender: 'ada',
      data: {},
    });
    expect(bodyOf({}, 'thorn')).toEqual({ event: 'order.paid', ref: null, sender: null, data: {} });
  });
});

describe('an envelope of the application', () => {
  it('is made from the default one', () => {
    expect(bodyOf({ data: 1 }, ({ type, data }) => ({ kind: type, payload: data }))).toEqual({
      kind: 'order.paid',
      payload: 1,
    });
  });

  it('must leave key and sequence to the option orderInBody', () => {
    const envelope: EnvelopeOption = ({ data }) => ({ key: 'mine', data });
    const ordered = { orderBy: { key: 'k' } };

    expect(bodyOf(ordered, envelope)).toEqual({ key: 'mine', data: {} });
    expect(() => bodyOf({ ...ordered, settings: { orderInBody: true } }, envelope)).toThrow(
      /^envelope must not return `key` or `sequence`/,
    );
  });
});
