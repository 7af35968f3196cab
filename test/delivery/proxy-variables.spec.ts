import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, startChild } from '../services/child.js';
import { ConnectProxy } from '../services/connect-proxy.js';

const WAYS = ['way.plain', 'way.interceptors', 'way.defaults'];

let program: string;
let receiver: ScriptedReceiver;
let proxy: ConnectProxy;

beforeAll(async () => {
  program = await bundleProgram('test/support/processes/proxy.ts');
});

beforeEach(async () => {
  [receiver, proxy] = [await ScriptedReceiver.start(), await ConnectProxy.start()];
});

afterEach(async () => {
  await Promise.all([receiver.stop(), proxy.stop()]);
});

describe('the proxy variables of the environment', () => {
  it('are ignored', async () => {
    await run({ how: 'thorn', url: receiver.url }, variables());

    expect(eventsReceived()).toEqual([...WAYS, ...WAYS].toSorted());
    expect(proxy.connections).toBe(0);
  });

  it('(control) send axios to the proxy', async () => {
    await run({ how: 'axios', url: receiver.url }, variables());

    expect(proxy.connections).toBe(1);
    expect(receiver.received).toHaveLength(0);
  });

  it('do not override the option egressProxy', async () => {
    const chosen = await ConnectProxy.start();

    await run({ how: 'thorn', url: receiver.url, egressProxy: chosen.url }, variables());

    expect(eventsReceived()).toEqual([...WAYS, ...WAYS].toSorted());
    expect(chosen.asked.length).toBeGreaterThan(0);
    expect(proxy.connections).toBe(0);
    await chosen.stop();
  });
});

function eventsReceived(): readonly string[] {
  return receiver.received.map(({ event }) => event ?? '').toSorted();
}

function variables(): Record<string, string> {
  const names = [
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'ALL_PROXY',
    'http_proxy',
    'https_proxy',
    'all_proxy',
    'npm_config_proxy',
    'npm_config_http_proxy',
    'npm_config_https_proxy',
    'NPM_CONFIG_PROXY',
    'GLOBAL_AGENT_HTTP_PROXY',
  ];
  return {
    ...Object.fromEntries(names.map((name) => [name, proxy.url])),
    NODE_USE_ENV_PROXY: '1',
    NO_PROXY: '',
    no_proxy: '',
    npm_config_noproxy: '',
  };
}

async function run(settings: object, environment: Record<string, string>): Promise<void> {
  const child = startChild(program, JSON.stringify(settings), environment);
  await child.printed('done');
  expect(await child.exited).toBe(0);
}
