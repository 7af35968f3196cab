import { type INestApplication, Logger, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../../lib/cli/main.js';
import { ScriptedReceiver, signWebhook } from '../../lib/testing/index.js';
import { badgesOf } from '../../tools/badges.mjs';
import { blocksOf, pages } from './blocks.js';

const example = blocksOf('README.md').find(({ language }) => language === 'ts')!.code;
const commands = blocksOf('README.md')
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.split('\n'));
const added = blocksOf('docs/index.md')
  .find(({ language }) => language === 'diff')!
  .code.split('\n')
  .filter((line) => line.startsWith('+'))
  .map((line) => line.slice(1));

describe('the README', () => {
  const text = readFileSync('README.md', 'utf8');

  it('has the example and the install line of every other page', () => {
    expect(added.filter((line) => !example.split('\n').includes(line))).toEqual([]);
    const lines = pages().flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/^npm install .*nestjs-thorn.*typeorm.*$/gm)].map(
        ([line]) => line,
      ),
    );
    expect([lines.length, new Set(lines).size]).toEqual([3, 1]);
  });

  it('has the lowest and the newest versions that the tests run on', () => {
    const lowest11 = dependenciesOf('test/lowest/nest-11');
    const drizzle = dependenciesOf('test/clients/drizzle');
    const ci = readFileSync('.github/workflows/ci.yml', 'utf8');
    const nodes = /node: \[(.*)\]/.exec(ci)![1]!.replaceAll("'", '').split(', ');

    const [names, , lowest, newest] = text
      .split('\n')
      .slice(text.split('\n').findIndex((line) => /^\|\s+\| Node\.js/.test(line)))
      .map((line) =>
        line
          .split('|')
          .slice(2, -1)
          .map((cell) => cell.trim()),
      );
    const shown = names!.map((name, n) => [name, [lowest![n], newest![n]]]);
    expect(Object.fromEntries(shown)).toEqual({
      'Node.js': [nodes[0], nodes.at(-1)],
      NestJS: [lowest11['@nestjs/core'], installed('@nestjs/core')],
      TypeORM: [lowest11['typeorm'], installed('typeorm')],
      Prisma: ['prisma-6', 'prisma-7'].map(
        (folder) => dependenciesOf(`test/clients/${folder}`)['@prisma/client'],
      ),
      Drizzle: [drizzle['drizzle-orm'], drizzle['drizzle-orm-1']!.split('@').at(-1)],
      Kysely: [installed('kysely'), installed('kysely')],
      Knex: [installed('knex'), installed('knex')],
      pg: [lowest11['pg'], installed('pg')],
      mysql2: [lowest11['mysql2'], installed('mysql2')],
      'better-sqlite3': [installed('better-sqlite3'), installed('better-sqlite3')],
      BullMQ: [installed('bullmq', 'test/nest-11/'), installed('bullmq')],
    });
  });

  it('has badges that package.json is true to', () => {
    const badges = badgesOf(JSON.parse(readFileSync('package.json', 'utf8')) as never);
    const drawn = readdirSync('docs/badges').map((file) => [
      file.replace('.svg', ''),
      readFileSync(`docs/badges/${file}`, 'utf8'),
    ]);
    expect(Object.fromEntries(drawn), 'npm run docs:badges').toEqual(badges);
    const shown = [...text.matchAll(/docs\/badges\/(\w+)\.svg/g)].map(([, name]) => name!);
    expect(shown.toSorted()).toEqual(Object.keys(badges).toSorted());
  });
});

function dependenciesOf(folder: string): Readonly<Record<string, string>> {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  return manifest.devDependencies;
}

/** The version that `npm ci` installs. */
function installed(name: string, workspace = ''): string {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>;
  };
  return lock.packages[`${workspace}node_modules/${name}`]!.version;
}

it('shows what `thorn listen` prints, as it prints it', async () => {
  const shown = blocksOf('README.md').find(({ language }) => language === 'text')!.code;
  const secret = `whsec_${Buffer.alloc(32, 'README').toString('base64')}`;
  const [lines, end]: [string[], AbortController] = [[], new AbortController()];
  const note = (line: string) => void lines.push(line);
  const ended = main(['listen', '--port', '0', '--secret', secret], {
    ...{ out: note, note, bytes: () => undefined },
    ...{ read: async () => Buffer.alloc(0), env: {} },
    ...{ hasColours: false, interrupted: end.signal },
  });
  const url = await vi.waitFor(() => {
    expect(lines).toContainEqual(expect.stringMatching(/^listening on /));
    return lines[0]!.replace('listening on ', '');
  });
  // Printed over several lines: the webhook itself has none.
  const body = JSON.stringify(JSON.parse(/^ {2}\{$.*^ {2}\}$/ms.exec(shown)![0]));
  const { headers } = signWebhook({ body, secrets: [secret] });
  await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'hook-event': 'article.created' },
    body,
  });
  end.abort();
  await ended;

  const plain = (text: string) =>
    text
      .replaceAll(/\b\d{2}:\d{2}:\d{2} /g, '12:00:00 ')
      .replaceAll(/msg_[\w-]+|msg_…/g, 'msg_')
      .replaceAll(/:\d+$/gm, ':4000')
      .replaceAll(/\d+ ms/g, '0 ms');
  expect(plain(lines.join('\n'))).toBe(plain(shown.trimEnd()));
});

describe('the example of the README', () => {
  let app: INestApplication;
  let url: string;
  let receiver: ScriptedReceiver;
  let directory: string;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    directory = mkdtempSync(join(tmpdir(), 'thorn-readme-'));
    receiver = await ScriptedReceiver.start();
    app = await NestFactory.create(await load());
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
    rmSync(directory, { recursive: true });
  });

  it('has a page, subscriptions, two events, a delivery log and replay', async () => {
    const page = await fetch(`${url}/webhooks`);
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);

    const endpoint = { ...bodyOf('hooks'), url: receiver.url };
    const { id, secret } = await call('POST', '/hooks', endpoint);
    const saved = await call('POST', '/articles', bodyOf('articles'));
    await call('POST', '/articles', { ...saved, state: 'PUBLISHED' });
    const arrived = await receiver.waitFor(2);
    const events = arrived.map(({ event }) => event);
    expect(events.toSorted()).toEqual(['article.created', 'article.published']);
    expect(arrived.every((webhook) => webhook.isSignedWith(secret!))).toBe(true);

    let log = await call('GET', `/hooks/${id}/deliveries?status=succeeded`);
    while (log.items!.length < 2)
      log = await call('GET', `/hooks/${id}/deliveries?status=succeeded`);
    await call('POST', `/hooks/deliveries/${log.items![0]!.id}/retry`, {});
    const [, , again] = await receiver.waitFor(3);
    expect(arrived.map((webhook) => webhook.id)).toContain(again!.id);
  });

  interface Answer {
    readonly id?: string | number;
    readonly secret?: string;
    readonly items?: readonly { readonly id: string }[];
  }

  async function call(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(url + path, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Answer;
  }

  /** What the README's curl sends to a route. */
  function bodyOf(route: string): object {
    const command = commands.find((line) => line.startsWith(`curl localhost:3000/${route} `))!;
    return JSON.parse(/ -d '(.*)'/.exec(command)![1]!) as object;
  }

  /** As it stands there, but for where its database is. */
  async function load(): Promise<Type<unknown>> {
    const root = resolve('.cache/guides/readme');
    mkdirSync(root, { recursive: true });
    const file = join(root, 'app.module.ts');
    writeFileSync(
      file,
      example
        .replaceAll(
          /'nestjs-thorn(\/page)?'/g,
          (_, entry = '') => `'${resolve(`lib${entry}/index.ts`)}'`,
        )
        .replace("'blog.sqlite'", `'${join(directory, 'blog.sqlite')}'`),
    );
    return ((await import(/* @vite-ignore */ file)) as { AppModule: Type<unknown> }).AppModule;
  }
});
