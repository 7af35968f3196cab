import type { INestApplication } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ScriptedReceiver, signWebhook } from '../../lib/testing/index.js';
import { blocksOf } from '../guides/blocks.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NAMES = ['method-events', 'receiver-only', 'multi-tenant'] as const;

let app: INestApplication | undefined;
let receiver: ScriptedReceiver | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await app?.close();
  await receiver?.stop();
  app = receiver = undefined;
});

async function start(name: (typeof NAMES)[number]): Promise<string> {
  vi.stubEnv('PORT', '0');
  vi.stubEnv('THORN_SECRET', SECRET);
  const main = resolve('sample', name, 'main.ts');
  ({ app } = (await import(/* @vite-ignore */ main)) as { app: INestApplication });
  return app.getUrl();
}

function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

it.each(NAMES)('has %s in the list of samples', (name) => {
  expect(readFileSync('sample/README.md', 'utf8')).toContain(`[${name}](${name})`);
});

describe('sample/method-events', () => {
  it('sends an event for an order, and one for an order that is refused', async () => {
    receiver = await ScriptedReceiver.start();
    vi.stubEnv('RECEIVER_URL', receiver.url);
    const url = await start('method-events');
    expect((await post(`${url}/orders`, { total: 5 })).status).toBe(201);
    expect((await post(`${url}/orders`, { total: -1 })).status).toBe(400);

    const placed = await receiver.waitFor(({ event }) => event === 'order.placed');
    expect(placed.isSignedWith(SECRET)).toBe(true);
    expect(placed.json).toMatchObject({ data: { id: 1, total: 5 } });
    const refused = await receiver.waitFor(({ event }) => event === 'order.refused');
    expect(refused.json).toMatchObject({ data: { total: -1 } });
  });
});

describe('sample/receiver-only', () => {
  it('takes what is signed, and nothing else', async () => {
    const url = await start('receiver-only');
    const sent = JSON.stringify({ type: 'order.placed', data: { id: 7, total: 5 } });
    const { headers } = signWebhook({ scheme: 'standard', secrets: [SECRET], body: sent });
    const target = `${url}/webhooks/shop`;
    expect((await post(target, sent, headers)).status).toBe(204);
    expect((await post(target, sent.replace('7', '8'), headers)).status).toBe(401);

    expect(await (await fetch(`${url}/webhooks/orders`)).json()).toEqual([{ id: 7, total: 5 }]);
  });
});

describe('sample/multi-tenant', () => {
  it('lets each tenant have its own webhooks, in a page of its front end', async () => {
    receiver = await ScriptedReceiver.start();
    const url = await start('multi-tenant');
    const cookie = async (tenant: string) => {
      const response = await fetch(`${url}/sign-in/${tenant}`);
      expect(await response.text()).toContain('<thorn-portal path="/endpoints">');
      return response.headers.get('set-cookie')!.split(';')[0]!;
    };
    const [acme, globex] = [await cookie('acme'), await cookie('globex')];
    const hook = { url: receiver.url, events: ['invoice.*'] };
    expect((await post(`${url}/hooks`, hook)).status).toBe(401);
    expect((await post(`${url}/hooks`, hook, { cookie: acme })).status).toBe(201);
    await post(`${url}/invoices`, { total: 1 }, { cookie: globex });
    await post(`${url}/invoices`, { total: 2 }, { cookie: acme });

    const { json } = await receiver.waitFor(({ event }) => event === 'invoice.created');
    expect(json).toMatchObject({ owner: 'acme', data: { total: 2 } });
    expect(receiver.received).toHaveLength(1);
    const element = await fetch(`${url}/webhooks/element.js`);
    expect([element.status, await element.text()]).toEqual([
      200,
      expect.stringContaining('defineElement('),
    ]);
  });

  it('shows a component of React that compiles', () => {
    const { code } = blocksOf('sample/multi-tenant/README.md').find(
      ({ language }) => language === 'tsx',
    )!;
    const wrong = code.replace('useRef<HTMLDivElement>', 'useRef<string>');
    const mistakes = mistakesIn({ '/page.tsx': code, '/wrong.tsx': wrong });
    expect(mistakes.length).toBeGreaterThan(0);
    expect(mistakes.filter((mistake) => !mistake.startsWith('/wrong.tsx'))).toEqual([]);
  });
});

/** As much of the types of React as a component with a reference and an effect needs. */
const REACT = `
declare module 'react' {
  export function useRef<T>(initial: T | null): { current: T | null };
  export function useEffect(effect: () => void | (() => void), dependencies: readonly unknown[]): void;
}
declare namespace JSX {
  interface Element { readonly type: string }
  interface IntrinsicElements {
    div: { readonly ref?: { current: HTMLDivElement | null } };
  }
}
`;

function mistakesIn(pages: Readonly<Record<string, string>>): readonly string[] {
  const files: Readonly<Record<string, string>> = { ...pages, '/react.d.ts': REACT };
  const options: ts.CompilerOptions = {
    jsx: ts.JsxEmit.Preserve,
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
    strict: true,
    noEmit: true,
    // The pages alone: not the library of browsers as well.
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name in files || fileExists(name);
  host.getSourceFile = (name, version) =>
    name in files
      ? ts.createSourceFile(name, files[name]!, version)
      : getSourceFile.call(host, name, version);
  const program = ts.createProgram(Object.keys(files), options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
}
