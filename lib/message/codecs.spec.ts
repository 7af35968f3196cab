import { describe, expect, it } from 'vitest';
import { InvalidInputError, ThornConfigurationError } from '../errors/index.js';
import { encodeJson } from './encode-json.js';
import { Codecs } from './codecs.js';

const FORM = 'application/x-www-form-urlencoded';

describe('Codecs', () => {
  it('knows JSON and the form encoding', () => {
    expect(new Codecs().contentTypes).toEqual(['application/json', FORM]);
  });

  it('gives a registered codec the body as plain JSON values', () => {
    const codecs = new Codecs({
      codecs: {
        'application/vnd.shop+text': (body) => JSON.stringify(Object.keys(body as object)),
        'application/octet-stream': () => Uint8Array.of(1, 2),
      },
    });
    const json = encodeJson({ at: new Date(0) });

    expect(codecs.contentTypes).toContain('application/vnd.shop+text');
    expect(codecs.transcode(json, 'application/vnd.shop+text').toString()).toBe('["at"]');
    expect(codecs.transcode(json, 'application/octet-stream')).toEqual(Buffer.of(1, 2));
    expect(codecs.transcode(json, 'application/json').toString()).toBe(json);
  });

  it('refuses a content type that it has no codec for, with those that it has', () => {
    const codecs = new Codecs();
    const transcode = () => codecs.transcode(encodeJson({}), 'text/xml');

    expect(transcode).toThrow(InvalidInputError);
    expect(transcode).toThrow(`contentType must be one of application/json, ${FORM}`);
  });

  it.each([
    ['yaml', () => '', 'is not a media type'],
    ['Application/YAML', () => '', 'is not a media type'],
    ['text/csv; charset=utf-8', () => '', 'is not a media type'],
    ['text/a\r\nx: y', () => '', 'is not a media type'],
    ['', () => '', 'is not a media type'],
    ['application/json', () => '', 'cannot be replaced'],
    ['text/csv', 'csv', 'must be a function'],
    ['text/csv', null, 'must be a function'],
  ])('refuses to register %j as %s', (contentType, codec, reason) => {
    const register = () => new Codecs({ codecs: { [contentType]: codec as never } });

    expect(register).toThrow(ThornConfigurationError);
    expect(register).toThrow(reason);
  });

  it('says when a codec returns neither text nor bytes', () => {
    const codecs = new Codecs({ codecs: { 'text/csv': (() => ({})) as never } });

    expect(() => codecs.transcode(encodeJson({}), 'text/csv')).toThrow('it returned object');
  });
});

describe('the form encoding', () => {
  const encode = (body: unknown) => {
    const codecs = new Codecs();
    return codecs.transcode(encodeJson(body), FORM).toString();
  };
  const decode = (form: string) => [...new URLSearchParams(form)];

  it('writes nested data in brackets', () => {
    const form = encode({
      event: 'article.created',
      ref: null,
      data: { id: 5, ok: true, tags: ['a', 'b'], rows: [{ x: 1.5 }], at: new Date(0) },
    });

    expect(decode(form)).toEqual([
      ['event', 'article.created'],
      ['ref', ''],
      ['data[id]', '5'],
      ['data[ok]', 'true'],
      ['data[tags][0]', 'a'],
      ['data[tags][1]', 'b'],
      ['data[rows][0][x]', '1.5'],
      ['data[at]', '1970-01-01T00:00:00.000Z'],
    ]);
  });

  it('escapes what would end a field', () => {
    const form = encode({ 'a&b=c': 'x&y=z +%é😀\n' });

    expect(form).toMatch(/^[\w%+.*-]+=[\w%+.*-]+$/);
    expect(decode(form)).toEqual([['a&b=c', 'x&y=z +%é😀\n']]);
  });

  it('leaves out empty lists and objects', () => {
    expect(encode({ data: {}, list: [], a: '' })).toBe('a=');
  });

  it.each(['{"":1}', '{"a":{"b]":1}}', '{"a[b]":1}', '{"a":{"__proto__":1}}'])(
    'refuses %s, whose names would come back as others',
    (json) => {
      expect(() => new Codecs().transcode(json, FORM)).toThrow(
        /^data has the name .*, which a form cannot hold/,
      );
    },
  );

  it('refuses a body without fields', () => {
    expect(() => encode('text')).toThrow(InvalidInputError);
  });
});
