import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { main } from '../../lib/cli/main.js';
import { processTerminal } from '../../lib/cli/commands/terminal.js';
import { thornEntities } from '../../lib/typeorm/index.js';
import { verifyWebhook } from '../../lib/receiver/index.js';
import { signWebhook } from '../../lib/testing/index.js';
import { bundleProgram } from '../services/child.js';
import { Program } from '../services/program.js';
import { freshMariadb, freshPostgres } from '../services/database.js';
import { freePort } from '../services/free-port.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

let bin: string;
let folder: string;
beforeAll(async () => {
  bin = await bundleProgram('lib/cli/thorn.ts');
  folder = mkdtempSync(join(tmpdir(), 'thorn-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The same in this process: fast enough for tables of mistakes. */
async function thorn(
  args: readonly string[],
  input: string | Buffer = '',
  env: Record<string, string> = {},
) {
  let [out, notes] = ['', ''];
  const code = await main(args, {
    out: (line) => (out += `${line}\n`),
    bytes: (bytes) => (out += bytes.toString('latin1')),
    note: (line) => (notes += `${line}\n`),
    hasColours: false,
    env,
    read: async (name) => (name === '-' ? Buffer.from(input) : processTerminal().read(name)),
    interrupted: new AbortController().signal,
  });
  return { code, out, notes };
}

/** In a process of its own. */
async function spawned(args: readonly string[], input: string | Buffer = '') {
  const program = new Program(bin, args, input);
  const code = await program.ended;
  return { code, out: program.out, notes: program.notes };
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('thorn', () => {
  it('prints help, and rejects unknown arguments with exit code 2', async () => {
    const general = await spawned(['--help']);
    expect(general.code).toBe(0);
    for (const name of ['listen', 'verify', 'sign', 'doctor', 'types', 'diff', 'migrations']) {
      expect(general.out).toContain(`  ${name} `);
      const { code, out } = await thorn([name, '--help']);
      expect([code, out.split('\n')[0]]).toEqual([0, expect.stringContaining(`thorn ${name}`)]);
      expect(await thorn(['help', name])).toMatchObject({ code: 0, out });
    }
    expect(await spawned(['nothing'])).toMatchObject({ code: 2, out: '' });
    expect((await spawned(['verify', '-s', SECRET], 'a: b\n\nbody')).code).toBe(1);
    for (const args of [[], ['nothing'], ['verify', '--what'], ['sign', 'a', 'b'], ['doctor']]) {
      const { code, out, notes } = await thorn(args);
      expect([args, code, out]).toEqual([args, 2, '']);
      expect(notes).toMatch(/thorn/);
    }
  });
});

describe('thorn sign and thorn verify', () => {
  it('sign requests that every verifier accepts', async () => {
    const { code, out } = await spawned(['sign', '-s', SECRET], '{"event":"a.b"}');
    expect(code).toBe(0);
    const headers = Object.fromEntries(
      out
        .trim()
        .split('\n')
        .map((line) => line.split(': ') as [string, string]),
    );
    const verified = verifyWebhook({ headers, body: '{"event":"a.b"}', secrets: [SECRET] });
    expect(verified.event).toBe('a.b');
  });

  it('verify captured requests, old or new, with any bytes', async () => {
    const body = Buffer.from([...Buffer.from('{"event":"a.b","text":"'), 0xc3, 0xa9, 0x22, 0x7d]);
    const request = await thorn(
      ['sign', '--http', '--time', '2026-01-01T00:00:00Z', '--id', 'msg_1'],
      body,
      { THORN_SECRET: SECRET },
    );
    const captured = Buffer.from(request.out, 'latin1');
    const ok = await spawned(['verify', '-s', SECRET], captured);
    expect(ok).toMatchObject({
      code: 0,
      out: 'ok: a.b, msg_1, signed at 2026-01-01T00:00:00.000Z\n',
    });
    const old = await thorn(['verify', '-s', SECRET, '--tolerance', '5m'], captured);
    expect([old.code, old.out]).toEqual([1, expect.stringMatching(/^too-old: /)]);
    const changed = await thorn(['verify', '-s', SECRET], request.out.replace('a.b', 'a.c'));
    expect([changed.code, changed.out]).toEqual([1, expect.stringMatching(/^wrong-signature: /)]);
    const other = await thorn(['verify', '-s', `${SECRET.slice(0, -2)}Aw`], captured);
    expect(other.code).toBe(1);
  });

  it('reads JSON, supports the other schemes, and never prints the secret', async () => {
    const secret = 'a-secret-of-github-and-stripe';
    for (const scheme of ['thorn', 'stripe', 'github'] as const) {
      const { headers, body } = signWebhook({
        scheme,
        secrets: [secret],
        body: { id: 'x', type: 'paid' },
        event: 'paid',
      });
      const captured = file('captured.json', JSON.stringify({ headers, body: body.toString() }));
      const { code, out, notes } = await thorn([
        'verify',
        captured,
        '--scheme',
        scheme,
        '-s',
        secret,
      ]);
      expect([scheme, code]).toEqual([scheme, 0]);
      expect(out + notes).not.toContain(secret);
    }
    for (const [args, input] of [
      [['verify'], 'a: b\n\nbody'],
      [['verify', '-s', 'whsec_!'], 'webhook-id: b\n\nbody'],
      [['verify', '-s', SECRET, '--scheme', 'none'], 'a: b\n\nbody'],
      [['verify', '-s', SECRET], 'no request'],
      [['verify', '-s', SECRET], '{"headers":1}'],
      [['verify', '-s', SECRET, 'no-such-file'], ''],
      [['sign', '-s', SECRET, '--time', 'soon'], ''],
      [['sign', '-s', SECRET, '--time', '2026-01-31 (what)'], ''],
      [['sign', '-s', SECRET, '--time', '2026-01-31T08:00:00'], ''],
      [['sign', '-s', SECRET, '--time', '2026-02-31'], ''],
    ] as const) {
      const result = await thorn(args, input, { THORN_SECRET: '' });
      expect([args, result.code]).toEqual([args, 2]);
      expect(result.notes).toMatch(/^thorn: .+\n$/);
    }
  });
});

describe('a secret that cannot be one', () => {
  it.each([
    ['sign', ['-s', 'whsec_###'], '--secret must be whsec_ followed by the base64'],
    ['sign', ['-s', 'short'], '--secret must be 16 to 512 characters long'],
    ['sign', ['-s', SECRET, '-s', 'short'], '--secret (number 2 of 2) must be 16'],
    ['sign', [], 'THORN_SECRET must be 16'],
    ['verify', ['-s', 'short'], '--secret must be 16'],
    ['verify', [], 'THORN_SECRET must be 16'],
    ['listen', ['-s', 'short'], '--secret must be 16'],
  ])('is refused by %s %j, which names where it was given', async (command, args, message) => {
    const { code, out, notes } = await thorn([command, ...args], 'a: b\n\nbody', {
      THORN_SECRET: 'short',
    });
    expect([code, out, notes]).toEqual([2, '', expect.stringContaining(`thorn: ${message}`)]);
  });

  it('is not the only option that is named as it was given', async () => {
    for (const [args, message] of [
      [['--id', 'a.b'], '--id must not contain a dot'],
      [['--id', ''], '--id must be at least one'],
      [['--id', 'a\r\nX: y'], '--id must be at least one'],
      [['--scheme', 'thorn', '--event', 'a\nb'], '--event must be at least one'],
      [['--digest', 'sha1'], '--digest is '],
    ] as const) {
      const { code, notes } = await thorn(['sign', '-s', SECRET, ...args], 'body');
      expect([code, notes]).toEqual([2, expect.stringContaining(`thorn: ${message}`)]);
    }
  });
});

describe('thorn listen', () => {
  it('says where it could not forward to, and why', async () => {
    const port = await freePort();
    for (const host of ['127.0.0.1', 'localhost']) {
      const forward = `http://${host}:${port}/inbox`;
      const program = new Program(bin, ['listen', '-p', '0', '-f', forward]);
      const [, url] = await program.wrote(/listening on (http:\S+)/);
      expect((await fetch(`${url}/hooks`, { method: 'POST', body: '{}' })).status).toBe(502);
      await program.wrote(new RegExp(`failed: ${forward} was not reached: connect ECONNREFUSED`));
      program.kill('SIGTERM');
      await program.ended;
    }
  });

  it('verifies, prints, forwards the bytes as received, and ends by Ctrl-C', async () => {
    const seen: { headers: unknown; body: string; url: string | undefined }[] = [];
    const target = await served((request, body) => {
      seen.push({ headers: request.headers, body, url: request.url });
      return [201, '{"token":"t"}'];
    });
    const program = new Program(bin, ['listen', '-p', '0', '-s', SECRET, '-f', target.url]);
    const [, url] = await program.wrote(/listening on (http:\S+)/);
    const { headers, body } = signWebhook({
      body: '{ "event": "order.paid",  "text": "\u009b31mred" }',
      secrets: [SECRET],
    });
    const post = (more: Record<string, string> = {}) =>
      fetch(`${url}/hooks`, {
        method: 'POST',
        headers: { ...headers, ...more },
        body: new Uint8Array(body),
      });
    const answer = await post();
    expect([answer.status, await answer.json()]).toEqual([201, { token: 't' }]);
    expect(seen).toMatchObject([
      { url: '/hooks', body: body.toString(), headers: { 'webhook-id': headers['webhook-id'] } },
    ]);
    expect((await post({ 'webhook-id': 'msg_other' })).status).toBe(401);
    expect(seen).toHaveLength(1);
    await program.wrote(/wrong-signature/);
    expect(program.out).toMatch(
      new RegExp(`^\\d\\d:\\d\\d:\\d\\d POST /hooks \\(ok, ${headers['webhook-id']}\\)$`, 'm'),
    );
    expect(program.notes).toMatch(
      new RegExp(`^  forwarded to ${target.url}/hooks: 201 in \\d+ ms$`, 'm'),
    );
    expect(program.out).toContain('"event": "order.paid"');
    expect(program.out).not.toContain('\u009b');
    program.kill('SIGINT');
    expect(await program.ended).toBe(0);
    await target.close();
  });

  it('answers a challenge, so that its subscriber becomes active', async () => {
    const program = new Program(
      bin,
      ['listen', '-p', '0', '-s', SECRET, '--status', '202'],
      '',
      {},
    );
    const [, url] = await program.wrote(/listening on (http:\S+)/);
    const send = async (body: string) => {
      const signed = signWebhook({ body, secrets: [SECRET] });
      const answer = await fetch(url!, {
        method: 'POST',
        headers: signed.headers,
        body: new Uint8Array(signed.body),
      });
      return [answer.status, await answer.text()];
    };
    expect(await send('{"event":"thorn.challenge","data":{"token":"t0"}}')).toEqual([
      200,
      '{"token":"t0"}',
    ]);
    for (const body of [
      '{"event":"thorn.ping","data":{"token":"t0"}}',
      '{"event":"thorn.challenge"}',
    ]) {
      expect([body, await send(body)]).toEqual([body, [202, '']]);
    }
    program.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  });

  it('forwards to a path of a port', async () => {
    const seen: (string | undefined)[] = [];
    const target = await served(({ url }) => {
      seen.push(url);
      return [204, ''];
    });
    const { port } = new URL(target.url);
    for (const forward of [`${port}/inbox?a=1`, `127.0.0.1:${port}/inbox?a=1`]) {
      const program = new Program(bin, ['listen', '-p', '0', '-f', forward]);
      const [, url] = await program.wrote(/listening on (http:\S+)/);
      expect((await fetch(`${url}/hooks`, { method: 'POST', body: '{}' })).status).toBe(204);
      await program.wrote(/forwarded to http:\S+\/inbox\?a=1: 204 in \d+ ms/);
      program.kill('SIGTERM');
      await program.ended;
    }
    expect(seen).toEqual(['/inbox?a=1', '/inbox?a=1']);
    await target.close();
  });

  it('forwards to no other host, whatever path a request has', async () => {
    const seen: [string, string | undefined][] = [];
    const [target, other] = await Promise.all(
      ['target', 'other'].map((name) =>
        served(({ url }) => {
          seen.push([name, url]);
          return [204, ''];
        }),
      ),
    );
    const program = new Program(bin, ['listen', '-p', '0', '-f', target!.url]);
    const [, url] = await program.wrote(/listening on (http:\S+)/);
    const { port } = new URL(url!);
    const { host } = new URL(other!.url);
    for (const path of [`//${host}/meta`, `http://${host}/abs`, `/\\${host}/back`, '/a?b=c?d']) {
      const status = await new Promise((resolve, reject) => {
        const raw = httpRequest({ port, method: 'POST', path }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        raw.on('error', reject).end('{}');
      });
      expect([path, status]).toEqual([path, 204]);
    }
    expect(seen.map(([name]) => name)).toEqual(Array(4).fill('target'));
    expect(seen.at(-1)).toEqual(['target', '/a?b=c?d']);
    program.kill('SIGTERM');
    await program.ended;
    await Promise.all([target!.close(), other!.close()]);
  });

  it('prints in colour on a terminal alone', async () => {
    const lines: string[] = [];
    const stop = new AbortController();
    let heard: (url: string) => void;
    const listening = new Promise<string>((resolve) => (heard = resolve));
    const ended = main(['listen', '-p', '0', '-s', SECRET], {
      out: (line) => {
        lines.push(line);
        const [, url] = /listening on (http:\S+)/.exec(line) ?? [];
        if (url !== undefined) heard(url);
      },
      bytes: () => undefined,
      note: (line) => void lines.push(line),
      hasColours: true,
      env: {},
      read: async () => Buffer.alloc(0),
      interrupted: stop.signal,
    });
    const signed = signWebhook({ body: '{}', secrets: [SECRET] });
    await fetch(await listening, {
      method: 'POST',
      headers: signed.headers,
      body: new Uint8Array(signed.body),
    });
    stop.abort();
    expect(await ended).toBe(0);
    expect(lines.some((line) => line.includes('\u001b[32m(ok, '))).toBe(true);
    expect(lines.some((line) => line.includes('\u001b[32manswered 204 in '))).toBe(true);
  });

  it('names the option that helps when the port is in use', async () => {
    const taken = await served(() => [204, '']);
    const { port } = new URL(taken.url);
    const { code, notes } = await thorn(['listen', '-p', port]);
    expect([code, notes]).toEqual([
      2,
      expect.stringContaining(
        `port ${port} is in use. Name another one with --port, or any free one with --port 0`,
      ),
    ]);
    await taken.close();
  });

  it('reports a wrong secret, a wrong port and a used port at once', async () => {
    const taken = await served(() => [204, '']);
    const port = new URL(taken.url).port;
    for (const args of [
      ['-s', 'whsec_!'],
      ['-p', '99999'],
      ['-f', 'x'],
      ['-p', port],
    ]) {
      expect([args, (await thorn(['listen', ...args])).code]).toEqual([args, 2]);
    }
    await taken.close();
  });
});

describe('the URL of a command', () => {
  it.each([
    ['<html>', 'with a body that is not JSON'],
    ['1', 'with a single value'],
  ])('is doubted where %s is answered', async (text, message) => {
    const api = await served(() => [200, text]);
    const { code, notes } = await thorn(['doctor', api.url]);
    expect([code, notes]).toEqual([1, `thorn: the API answers 200 ${message}: check its URL\n`]);
    await api.close();
  });

  it('prints no password of a URL', async () => {
    const url = 'http://admin:hunter2@127.0.0.1:1/hooks';
    for (const args of [
      ['doctor', url],
      ['types', url],
      ['listen', '-p', '0', '-f', url],
    ]) {
      const { code, notes } = await thorn(args);
      expect([args, code, notes]).toEqual([
        args,
        2,
        expect.stringContaining('THORN_AUTHORIZATION'),
      ]);
      expect(notes).not.toContain('hunter2');
    }
  });
});

describe('thorn types', () => {
  const document = {
    asyncapi: '3.0.0',
    components: {
      messages: {
        a: {
          name: 'order.paid',
          payload: { type: 'object', properties: { id: { type: 'string' } } },
        },
      },
    },
  };

  it('reads a file, the standard input or a URL', async () => {
    const text = JSON.stringify(document);
    const api = await served(() => [200, text]);
    const results = [
      await thorn(['types', file('asyncapi.json', text)]),
      await thorn(['types', '-'], text),
      await thorn(['types', api.url]),
    ];
    await api.close();
    for (const { code, out } of results) {
      expect([code, out]).toEqual([0, results[0]!.out]);
      expect(out).toContain('export type OrderPaidWebhook = {\n  readonly id?: string;\n};');
    }
    for (const wrong of ['{', '{}', '[]']) {
      expect([wrong, (await thorn(['types'], wrong)).code]).toEqual([wrong, 2]);
    }
    expect((await thorn(['types', api.url])).code).toBe(2);
    const unwritable = await thorn(['types', '--out', join(folder, 'none', 'x.ts')], text);
    expect([unwritable.code, unwritable.notes]).toEqual([
      2,
      expect.stringMatching(/cannot be written/),
    ]);
  });

  it('shows who asks where a URL wants to know', async () => {
    const api = await served(({ headers }) =>
      headers.authorization === 'Bearer t' ? [200, JSON.stringify(document)] : [401, '{}'],
    );
    const env = { THORN_AUTHORIZATION: 'Bearer t' };
    const own = ['-H', 'Authorization: Bearer t'];
    expect((await thorn(['types', api.url], '', env)).code).toBe(0);
    expect((await thorn(['types', api.url, ...own])).code).toBe(0);
    expect(await thorn(['types', api.url])).toMatchObject({
      code: 2,
      notes: expect.stringContaining(`${api.url}/ answers 401. Give what it asks for: -H`),
    });
    await api.close();
  });
});

describe('thorn diff', () => {
  const line = { type: 'object', properties: { sku: { type: 'string' } }, required: ['sku'] };
  const shape = (name: string, type: string) => ({
    ...{ type: 'object', properties: { [name]: { type } }, description: `A ${name}` },
  });
  const [card, bank, cash] = [
    shape('pan', 'string'),
    shape('iban', 'string'),
    shape('coins', 'number'),
  ];
  const data: Readonly<Record<string, object>> = {
    id: { type: 'string', maxLength: 20 },
    total: { type: 'integer', minimum: 0 },
    state: { enum: ['new', 'paid'] },
    note: { type: ['string', 'null'] },
    lines: { type: 'array', items: line },
    prices: { type: 'object', additionalProperties: { type: 'number' } },
    buyer: { allOf: [{ type: 'object', properties: { name: { type: 'string' } } }, line] },
    code: { type: 'string', pattern: '^A' },
    free: { description: 'Anything' },
    payment: { oneOf: [card, bank] },
    place: { type: 'array', prefixItems: [{ type: 'number' }, { type: 'number' }] },
  };
  const documentOf = (events: Readonly<Record<string, object>>, required = ['id', 'total']) => ({
    asyncapi: '3.0.0',
    components: {
      messages: Object.fromEntries(
        Object.entries(events).map(([name, properties]) => [
          name,
          {
            name,
            payload: {
              type: 'object',
              properties: { data: { type: 'object', properties, required } },
            },
          },
        ]),
      ),
    },
  });
  const old = documentOf({ 'order.paid': data, 'order.gone': {} });
  const diff = async (now: object) => {
    const { code, out } = await thorn(
      ['diff', file('old.json', JSON.stringify(old))],
      JSON.stringify(now),
    );
    return { code, lines: out.trim().split('\n') };
  };
  const changed = (properties: object, required?: string[]) =>
    diff(documentOf({ 'order.paid': { ...data, ...properties }, 'order.gone': {} }, required));
  const without = (name: string) =>
    Object.fromEntries(Object.entries(data).filter(([key]) => key !== name));

  it('passes what is the same, and what is added', async () => {
    expect(await diff(old)).toEqual({ code: 0, lines: ['Nothing has changed.'] });
    const more = documentOf({
      'order.paid': { ...data, more: {}, state: { enum: ['new', 'paid', 'late'] } },
      ...{ 'order.gone': {}, 'order.sent': {} },
    });
    expect(await diff(more)).toEqual({
      code: 0,
      lines: [
        'addition  order.paid  data.state  may be "late" as well',
        'addition  order.paid  data.more  was added',
        'addition  order.sent  was added',
      ],
    });
  });

  it('passes what allows more, and shapes in another order', async () => {
    const more = {
      id: { type: 'string' },
      total: { ...data['total'], deprecated: true },
      state: { type: 'string' },
      payment: { oneOf: [cash, { ...bank, description: 'Other words' }, card] },
    };
    expect(await changed(more)).toEqual({
      code: 0,
      lines: [
        'addition  order.paid  data.id  has the maxLength any, before 20',
        'addition  order.paid  data.total  is deprecated from now on',
        'addition  order.paid  data.state  may have other values as well',
        'addition  order.paid  data.payment  may have another shape as well',
      ],
    });
  });

  it('fails for what is removed, and tells what is new and alike', async () => {
    const now = documentOf({ 'order.paid': { ...without('total'), sum: data['total']! } }, ['id']);
    expect(await diff(now)).toEqual({
      code: 1,
      lines: [
        'breaking  order.gone  was removed',
        'breaking  order.paid  data.total  was removed; sum is new and alike',
        'addition  order.paid  data.sum  was added',
      ],
    });
  });

  it.each<[string, object, string]>([
    ['another type', { id: { type: 'integer' } }, 'data.id  was string and is integer'],
    [
      'a further type',
      { id: { type: ['string', 'null'] } },
      'data.id  was string and is string or null',
    ],
    ['one type fewer', { note: { type: 'string' } }, 'data.note  was string or null and is string'],
    ['fewer values', { state: { enum: ['paid'] } }, 'data.state  is never "new" any more'],
    [
      'a shorter text',
      { id: { type: 'string', maxLength: 9 } },
      'data.id  has the maxLength 9, before 20',
    ],
    [
      'a format',
      { id: { type: 'string', maxLength: 20, format: 'uuid' } },
      'data.id  has the format uuid, before any',
    ],
    [
      'a field of a list',
      { lines: { type: 'array', items: { ...line, properties: {} } } },
      'data.lines[].sku  was removed',
    ],
    [
      'the values of a map',
      { prices: { type: 'object', additionalProperties: { type: 'string' } } },
      'data.prices.*  was number and is string',
    ],
    ['a part of an allOf', { buyer: { allOf: [line] } }, 'data.buyer.name  was removed'],
    [
      'a pattern that is gone',
      { code: { type: 'string' } },
      'data.code  has the pattern any, before ^A',
    ],
    [
      'the parts of a tuple',
      { place: { type: 'array', prefixItems: [{ type: 'number' }] } },
      'data.place  has another prefixItems',
    ],
    [
      'a type where there was none',
      { free: { type: 'string' } },
      'data.free  was anything and is string',
    ],
    [
      'a field of one of several shapes',
      { payment: { oneOf: [card, shape('iban', 'number')] } },
      'data.payment  has several shapes, of which one was changed or removed',
    ],
    [
      'one shape fewer',
      { payment: card },
      'data.payment  has several shapes, of which one was changed or removed',
    ],
  ])('fails for %s', async (_, properties, text) => {
    expect(await changed(properties)).toEqual({
      code: 1,
      lines: [`breaking  order.paid  ${text}`],
    });
  });

  it('fails for a field that may be missing from now on', async () => {
    expect(await changed({}, ['id'])).toMatchObject({
      code: 1,
      lines: ['breaking  order.paid  data.total  may be missing from now on'],
    });
  });

  it('reads schemas through references, also of what holds itself', async () => {
    const withSchemas = (name: object) => ({
      asyncapi: '3.0.0',
      components: {
        messages: { a: { name: 'a', payload: { $ref: '#/components/schemas/Node' } } },
        schemas: {
          Node: {
            type: 'object',
            properties: {
              name,
              next: { anyOf: [{ $ref: '#/components/schemas/Node' }, { type: 'null' }] },
            },
          },
        },
      },
    });
    const before = file('refs.json', JSON.stringify(withSchemas({ type: 'string' })));
    const after = JSON.stringify(withSchemas({ type: 'number' }));
    const { code, out } = await thorn(['diff', before], after);
    expect([code, out.trim()]).toEqual([1, 'breaking  a  name  was string and is number']);
  });

  it('passes an event that is deprecated from now on, also in a path item of its own', async () => {
    const [before, after] = [undefined, true].map((deprecated) => {
      const content = { 'application/json': { schema: { type: 'object' } } };
      const pathItems = { 'a%': { post: { deprecated, requestBody: { content } } } };
      const webhooks = { a: { $ref: '#/components/pathItems/a%' } };
      return JSON.stringify({ openapi: '3.1.0', webhooks, components: { pathItems } });
    });
    const { code, out } = await thorn(['diff', file('items.json', before!)], after);
    expect([code, out.trim()]).toEqual([0, 'addition  a  is deprecated from now on']);
  });

  it.each<[string, unknown, string]>([
    [
      'what refers to nothing',
      {
        asyncapi: '3.0.0',
        components: { messages: { 'order.paid': { payload: { $ref: 'a.json' } } } },
      },
      'the new document must hold all that it refers to: nothing is at a.json',
    ],
    ['no catalogue', { openapi: '3.1.0', paths: {} }, 'the new document must be an OpenAPI 3.1'],
    ['a newer format', { ...old, asyncapi: '4.0.0' }, 'with messages; this one is AsyncAPI 4.0.0'],
    [
      'another kind',
      {
        openapi: '3.1.0',
        webhooks: {
          a: { post: { requestBody: { content: { 'application/json': { schema: {} } } } } },
        },
      },
      'the new document must be AsyncAPI as the old one, not OpenAPI',
    ],
    ['no JSON', '{', 'the standard input is not JSON'],
  ])('refuses %s', async (_, now, note) => {
    const before = file('old.json', JSON.stringify(old));
    const text = typeof now === 'string' ? now : JSON.stringify(now);
    expect(await thorn(['diff', before], text)).toMatchObject({
      ...{ code: 2, out: '' },
      notes: expect.stringContaining(note),
    });
    expect((await thorn(['diff'], text)).code).toBe(2);
  });

  it('says when the old document is the wrong one', async () => {
    const { code, notes } = await thorn(['diff', file('none.json', '{}')], JSON.stringify(old));
    expect([code, notes]).toEqual([2, expect.stringContaining('the old document must be')]);
  });
});

describe('thorn migrations', () => {
  it.each([
    {
      database: 'sqlite',
      server: 'none',
      open: async () => ({
        options: { type: 'better-sqlite3', database: ':memory:' } as DataSourceOptions,
        drop: async () => undefined,
      }),
    },
    {
      database: 'postgres',
      server: 'PostgreSQL',
      open: async () => {
        const { url, drop } = await freshPostgres();
        return { options: { type: 'postgres', url } as DataSourceOptions, drop };
      },
    },
    ...(['mysql', 'mariadb'] as const).map((type) => ({
      database: type,
      server: 'MariaDB',
      open: async () => {
        const { url, drop } = await freshMariadb();
        return { options: { type, url } as DataSourceOptions, drop };
      },
    })),
  ])(
    'prints SQL that makes the schema of the entities on $database (server: $server), and removes it',
    async ({ database, open }) => {
      const { options, drop } = await open();
      const dataSource = await new DataSource({
        ...options,
        entities: thornEntities,
        entityPrefix: 'my_',
      }).initialize();
      const run = async (...args: string[]) => {
        const { code, out, notes } = await thorn([
          ...['migrations', database, '--prefix', 'my_'],
          ...args,
        ]);
        expect([code, notes]).toEqual([0, '']);
        for (const statement of out.split(/;\n/).filter(Boolean)) await dataSource.query(statement);
      };
      try {
        await run();
        await run('--receiver');
        // MariaDB stands in for MySQL, and TypeORM sees differences between the two that are none.
        if (database !== 'mysql') {
          const missing = await dataSource.driver.createSchemaBuilder().log();
          expect(missing.upQueries.map(({ query }) => query)).toEqual([]);
        }
        await run('--receiver', '--down');
        await run('--down');
        await run();
      } finally {
        await dataSource.destroy();
        await drop();
      }
    },
  );

  it('prints tables in a schema of their own, as one script for Prisma Migrate', async () => {
    const { url, drop } = await freshPostgres();
    const client = new Client(url);
    await client.connect();
    const schemas = async () =>
      (
        await client.query<Record<string, unknown>>(
          `SELECT schemaname AS schema, count(*)::int AS tables, sum(array_length(array(SELECT 1 FROM pg_indexes i WHERE i.schemaname = t.schemaname AND i.tablename = t.tablename), 1))::int AS indexes FROM pg_tables t WHERE tablename LIKE 'thorn%' GROUP BY 1`,
        )
      ).rows;
    try {
      const args = ['migrations', 'postgres', '--schema', 'thorn', '--for', 'prisma'];
      const { code, out } = await thorn(args);
      expect([code, out.split('\n')[0]]).toEqual([
        0,
        '-- Run: npx prisma migrate dev --create-only --name thorn',
      ]);
      await client.query(out);
      expect(await schemas()).toEqual([{ schema: 'thorn', tables: 16, indexes: 40 }]);
      await client.query((await thorn([...args, '--down'])).out);
      expect(await schemas()).toEqual([]);
    } finally {
      await client.end();
      await drop();
    }
  });

  it('prints statements for drizzle-kit, parted one by one', async () => {
    const { code, out } = await thorn(['migrations', 'sqlite', '--for', 'drizzle']);
    expect([code, out.split('\n')[0]]).toEqual([
      0,
      '-- Run: npx drizzle-kit generate --custom --name=thorn',
    ]);
    const database = new Database(':memory:');
    // It refuses two statements in one.
    for (const one of out.split('--> statement-breakpoint')) database.prepare(one).run();
    const made = database.prepare(
      `SELECT type, count(*) AS count FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' GROUP BY type`,
    );
    expect(made.all()).toEqual([
      { type: 'index', count: 24 },
      { type: 'table', count: 16 },
    ]);
    database.close();
  });

  it.each([
    { args: [], said: 'name a database: sqlite, postgres, mysql, mariadb' },
    { args: ['oracle'], said: 'name a database: sqlite, postgres, mysql, mariadb' },
    { args: ['postgres', '--for', 'knex'], said: '--for must be one of prisma, drizzle' },
    { args: ['postgres', '--for', 'toString'], said: '--for must be one of prisma, drizzle' },
    { args: ['sqlite', '--schema', 'thorn'], said: 'works with postgres alone, not with sqlite' },
    { args: ['mariadb', '--schema', 'thorn'], said: 'works with postgres alone, not with mariadb' },
    { args: ['postgres', '--schema', ''], said: 'not ""' },
    { args: ['postgres', '--schema', 'a"; DROP'], said: 'takes letters, digits and "_"' },
    { args: ['postgres', '--schema', 'pg_thorn'], said: 'not pg_ at the start' },
    { args: ['postgres', '--schema', 'a'.repeat(64)], said: 'at most 63' },
  ])('prints nothing but what is wrong: $args', async ({ args, said }) => {
    const { code, out, notes } = await thorn(['migrations', ...args]);
    expect([code, out, notes]).toEqual([2, '', expect.stringContaining(said)]);
  });
});

interface Served {
  readonly url: string;
  close(): Promise<void>;
}

async function served(
  answer: (
    request: import('node:http').IncomingMessage,
    body: string,
  ) => [number, string] | Promise<[number, string]>,
): Promise<Served> {
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [status, body] = await answer(request, Buffer.concat(chunks).toString());
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
