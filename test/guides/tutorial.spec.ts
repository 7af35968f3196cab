import { type INestApplication, Logger } from '@nestjs/common';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { blocksOf } from './blocks.js';

const run = promisify(execFile);
const blocks = blocksOf('docs/tutorial.md');
const commands = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code);
const [install, ...steps] = commands;

/** A reader who does what the page says, in its order. */
describe('the tutorial', () => {
  let app: INestApplication;
  let receiver: ScriptedReceiver;
  let directory: string;
  let answers: readonly unknown[];

  beforeAll(async () => {
    Logger.overrideLogger(false);
    directory = mkdtempSync(join(tmpdir(), 'thorn-tutorial-'));
    process.env['DATABASE'] = join(directory, 'shop.sqlite');
    process.env['PORT'] = '0';
    receiver = await ScriptedReceiver.start();
    ({ app } = (await import(/* @vite-ignore */ writeFiles())) as { app: INestApplication });
    answers = await follow();
  });

  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
    rmSync(directory, { recursive: true });
  });

  it('installs what its files import', () => {
    const installed = /npm install (.*)/.exec(install!)![1]!.split(' ');
    const imported = blocks.flatMap(({ code }) =>
      [...code.matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name!),
    );
    const brought = new Set(['@nestjs/common', '@nestjs/core']);
    expect(installed).toEqual(
      expect.arrayContaining(imported.filter((name) => !brought.has(name))),
    );
  });

  it('shows the subscriber with its secret', () => {
    expect(subscriber()).toEqual(
      expect.objectContaining({
        events: ['order.*'],
        secret: expect.stringMatching(/^whsec_/) as string,
      }),
    );
  });

  it('brings the events to the partner, signed with the secret that was shown', () => {
    const { secret } = subscriber();
    const events = receiver.received.map(({ event }) => event);
    expect(events.slice(0, 3)).toEqual(['thorn.ping', 'order.placed', 'order.paid']);
    expect(receiver.received.every((webhook) => webhook.isSignedWith(secret))).toBe(true);
    expect(receiver.received[2]!.json).toMatchObject({
      type: 'order.paid',
      owner: 'ann',
      data: { id: 1, total: 4200, state: 'PAID' },
    });
  });

  it('lets the partner look, retry, count what failed and rotate, and nobody else', () => {
    const [delivery, retried, failed, rotated, foreign] = answers.slice(-5);

    expect(delivery).toMatchObject({ status: 'succeeded', attempts: [{ status: 204 }] });
    expect(retried).toMatchObject({ status: 'pending' });
    expect(failed).toMatchObject({ next: null });
    expect(rotated).toMatchObject({ secret: expect.stringMatching(/^whsec_/) as string });
    expect(foreign).toMatchObject({ status: 404 });
  });

  function subscriber(): { readonly secret: string } {
    return JSON.parse(readFileSync(join(directory, 'subscriber.json'), 'utf8')) as never;
  }

  /** @returns the path of `src/main.ts` */
  function writeFiles(): string {
    const root = resolve('.cache/guides/tutorial');
    for (const { code } of blocks.filter(({ language }) => language === 'ts')) {
      const file = join(root, /^\/\/ (\S+)\n/.exec(code)![1]!);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, code.replaceAll("'nestjs-thorn'", `'${resolve('lib/index.ts')}'`));
    }
    return join(root, 'src/main.ts');
  }

  /** @returns the answers that the commands have printed */
  async function follow(): Promise<readonly unknown[]> {
    const { port } = app.getHttpServer().address() as { port: number };
    const printed: string[] = [];
    let variables = '';
    for (const step of steps.filter((code) => code.includes('curl'))) {
      const script = step
        .replaceAll('localhost:3000', `127.0.0.1:${port}`)
        .replaceAll('127.0.0.1:4000', new URL(receiver.url).host);
      const { stdout } = await run('bash', ['-euc', `${variables}\n${script}`], { cwd: directory });
      variables += `\n${(step.match(/^[A-Z]+=.*$/gm) ?? []).join('\n')}`;
      printed.push(stdout);
      if (step.includes('/pay')) await receiver.waitFor(({ event }) => event === 'order.paid');
    }
    return printed
      .flatMap((text) => text.replaceAll('}{', '}\n{').split('\n'))
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  }
});
