import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format } from 'prettier';
import { DataSource } from 'typeorm';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../lib/cli/main.js';
import { exampleFiles } from '../../lib/cli/init/example-files.js';
import { addressOf } from '../../lib/cli/init/main-file.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { startChromium } from '../services/chromium.js';
import { writeShop } from '../support/fixtures/nest-shop.js';
import { PageVisitor } from '../support/page-visitor.js';

const FILES = [
  'src/app.module.ts',
  'src/orders/order.entity.ts',
  'src/webhooks/webhooks.module.ts',
  'src/webhooks/webhooks-link.controller.ts',
];

async function init(args: readonly string[], answers: readonly string[] = []) {
  const left = [...answers];
  const [out, notes, questions]: [string[], string[], string[]] = [[], [], []];
  const code = await main(['init', ...args], {
    out: (line) => void out.push(line),
    bytes: () => undefined,
    note: (line) => void notes.push(line),
    ask: async (question) => {
      questions.push(question);
      return left.shift() ?? '';
    },
    hasColours: false,
    env: {},
    read: async () => Buffer.alloc(0),
    interrupted: new AbortController().signal,
  });
  return { code, out: out.join('\n'), notes: notes.join('\n'), questions };
}

const SETUP = ['--entity', 'Order', '--guard', 'AuthGuard', '--user', 'user.sub', '--page'];

describe.each([11, 12] as const)('thorn init in an application of Nest %i', (major) => {
  let folder: string;
  beforeEach(() => {
    folder = writeShop(major);
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const textOf = (path: string) => readFileSync(join(folder, path), 'utf8');

  it('declares events of an entity, and adds the API, the page and a route of links', async () => {
    const main = textOf('src/main.ts');
    const { code, notes } = await init([folder, '--yes', ...SETUP]);

    expect([code, notes]).toEqual([0, expect.stringContaining('localhost:3000/webhooks-link')]);
    expect(textOf('src/main.ts')).toBe(main);
    for (const path of FILES) {
      const style = { parser: 'typescript', singleQuote: true, trailingComma: 'all' } as const;
      expect(textOf(path), path).toBe(await format(textOf(path), style));
    }
  });

  it('asks for what it is not told, with a guess', async () => {
    const answers = ['Order', 'AuthGuard', '', 'user.sub', 'y', 'y'];
    const { code, questions } = await init([folder], answers);

    expect(code).toBe(0);
    expect(questions).toEqual([
      'The entity that sends events (Order; empty for an example): ',
      'The guard of the REST API (AuthGuard; empty for no API): ',
      'The property of Order that holds the id of its owner, - for none [customerId]: ',
      'Where the guard leaves the id of the user on the request [user.id]: ',
      "The owners' page? [y/N] ",
      'Change these files? [y/N] ',
    ]);
    const asked = FILES.map(textOf);
    await init([folder, '--undo', '--yes']);
    await init([folder, '--yes', ...SETUP]);
    expect(FILES.map(textOf)).toEqual(asked);
  });

  it.each([
    [
      ['--entity', 'Ordr'],
      '--entity Ordr is not an exported entity of the application; there are: Order',
    ],
    [
      ['--guard', 'Guard'],
      '--guard Guard is not an exported guard of the application; there are: AuthGuard',
    ],
    [['--page'], '--page needs --guard; there are: AuthGuard'],
    [[...SETUP, '--owner', 'customer'], 'there are: id, item, customerId'],
    [[...SETUP, '--user', 'user[0]'], '--user user[0] must be a path of the request'],
  ])('changes nothing with %j', async (args, why) => {
    const before = textOf('src/app.module.ts');
    const { code, notes } = await init([folder, '--yes', ...args]);
    expect([code, notes]).toEqual([2, expect.stringContaining(why)]);
    expect(textOf('src/app.module.ts')).toBe(before);
  });

  it('adds both the module and the events to a file that has the entity', async () => {
    const order = textOf('src/orders/order.entity.ts').replace(/^import.*\n+/m, '');
    const module = textOf('src/app.module.ts')
      .replace(/^import \{ Order .*\n/m, '')
      .replace(/^@Module/m, `${order}\n@Module`)
      .replace(
        /^import/,
        "import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';\nimport",
      );
    rmSync(join(folder, 'src/orders/order.entity.ts'));
    writeFileSync(join(folder, 'src/app.module.ts'), module);

    expect(await init([folder, '--yes', ...SETUP])).toMatchObject({ code: 0 });
    expect(textOf('src/app.module.ts')).toMatch(/imports: \[[^]*WebhooksModule/);
    expect(textOf('src/app.module.ts')).toContain("@WebhookEvent<Order>('order.created'");
    await init([folder, '--undo', '--yes']);
    expect(textOf('src/app.module.ts')).toBe(module);
  });

  it('refuses a guard of the file that would import the guard again', async () => {
    const guard =
      'export class OwnGuard implements CanActivate {\n  canActivate = () => true;\n}\n';
    const module = `${textOf('src/app.module.ts')}\n${guard}`;
    writeFileSync(join(folder, 'src/app.module.ts'), module);
    const { code, notes } = await init([folder, '--yes', '--guard', 'OwnGuard']);
    expect([code, notes]).toEqual([
      2,
      expect.stringContaining('Move the guard into a file of its own'),
    ]);
    expect(textOf('src/app.module.ts')).toBe(module);
  });

  it('asks whose the rows are before every user would get them', async () => {
    const path = join(folder, 'src/orders/order.entity.ts');
    writeFileSync(path, textOf('src/orders/order.entity.ts').replaceAll('customerId', 'by'));
    const refused = await init([folder, '--yes', ...SETUP]);
    expect([refused.code, refused.notes]).toEqual([2, expect.stringContaining('--owner - for')]);

    expect((await init([folder, '--yes', ...SETUP, '--owner', 'by'])).code).toBe(0);
    expect(readFileSync(path, 'utf8')).toContain("owner: 'by'");
  });
});

describe('an application that thorn init has set up', () => {
  let folder: string;
  let app: INestApplication;
  let url: string;
  let receiver: ScriptedReceiver;

  beforeAll(async () => {
    folder = writeShop(12);
    await init([folder, '--yes', ...SETUP]);
    for (const path of FILES) {
      const text = readFileSync(join(folder, path), 'utf8');
      const local = text.replaceAll(/'nestjs-thorn(\/page)?'/g, (_, entry = '') =>
        JSON.stringify(resolve(`lib${entry}/index.ts`)),
      );
      writeFileSync(join(folder, path), local);
    }
    const file = join(folder, 'src/app.module.ts');
    const { AppModule } = (await import(/* @vite-ignore */ file)) as { AppModule: Type<object> };
    receiver = await ScriptedReceiver.start();
    app = await NestFactory.create(AppModule, { logger: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(async () => {
    await app?.close();
    await receiver?.stop();
    rmSync(folder, { recursive: true });
  });

  it('shows its page to the owner whose token asks for a link', async () => {
    const ask = (token: string) =>
      fetch(`${url}/webhooks-link`, { method: 'POST', headers: { authorization: token } });
    expect((await ask('')).status).toBe(403);
    const link = (await (await ask('Bearer ann')).json()) as { url: string };

    const browser = await startChromium();
    const visitor = await PageVisitor.start(browser);
    await visitor.page.goto(new URL(link.url, url).href);
    await visitor.page.getByRole('link', { name: 'Add endpoint' }).click();
    await visitor.page.getByLabel('URL').fill(receiver.url);
    await visitor.page.getByRole('checkbox', { name: 'order.created' }).check();
    await visitor.page.getByRole('button', { name: 'Create endpoint' }).click();
    await visitor.page.getByRole('heading', { name: 'Endpoint created' }).waitFor();
    await visitor.end();
    await browser.close();

    const orders = app.get(DataSource).getRepository('Order');
    await orders.save({ item: 'tea', customerId: 'bob' });
    await orders.save({ item: 'tea', customerId: 'ann' });
    const [arrived] = await receiver.waitFor(1);
    expect(arrived!.json).toMatchObject({ type: 'order.created', owner: 'ann', data: { id: 2 } });
  });
});

describe('the address of an application', () => {
  it.each([
    ['app.listen(process.env.PORT ?? 3000)', 'process.env.PORT ?? 3000', ''],
    ['app.listen(8080)', '8080', ''],
    [
      "app.listen(Number(process.env['APP_PORT'] || 4000), '0.0.0.0')",
      'process.env.APP_PORT ?? 4000',
      '',
    ],
    ["app.listen(config.get<number>('HTTP_PORT', 8080))", 'process.env.HTTP_PORT ?? 8080', ''],
    [
      "const port: number = config.getOrThrow('PORT');\napp.listen(port)",
      'process.env.PORT ?? 3000',
      '',
    ],
    ["app.setGlobalPrefix('api');\napp.listen(3000)", '3000', '/api'],
    ["app.setGlobalPrefix('/api/v1/', { exclude: ['x'] });\napp.listen(3000)", '3000', '/api/v1'],
    ['app.setGlobalPrefix(config.prefix);\napp.listen(3000)', '3000', null],
  ])('is read from %s', (text, port, prefix) => {
    expect(addressOf(ts, text)).toMatchObject({ port, prefix });
  });

  it.each([
    [
      'process.env.PORT ?? 3000',
      '/api',
      '`http://127.0.0.1:${process.env.PORT ?? 3000}/api/webhooks`',
    ],
    ['8080', '', '`http://127.0.0.1:8080/webhooks`'],
  ])('is where the example sends to: %s, %s', (port, prefix, expected) => {
    const files = exampleFiles('.ts', { port, prefix, defaultPort: '' }, undefined);
    expect(files['webhooks/webhooks.module.ts']).toContain(expected);
    expect(files['webhooks/webhooks.module.ts']).toContain("from './greetings.controller.ts'");
  });
});
