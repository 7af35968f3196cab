import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  Subscribers,
  ThornModule,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../lib/index.js';
import { DispatchStrategy, FanOut } from '../../lib/extending/index.js';
import { RecordingStrategy } from '../../lib/testing/index.js';
import { textOf } from './blocks.js';

const guide = textOf('docs/events.md');
const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
const examples = blocks.filter((block) => block.includes('// → '));
const code = [
  ...blocks.filter((block) => !examples.includes(block)),
  `interface Context { dataSource: DataSource; dispatcher: WebhookDispatcher; author: User; orders: Orders; stock: Stock }`,
  `export const examples: ((context: Context) => Promise<void>)[] = [`,
  ...examples.map(
    (example) => `async ({ dataSource, dispatcher, author, orders, stock }) => {\n${example}},`,
  ),
  '];',
].join('\n');

type Class = new (...args: never[]) => object;
interface Guide extends Record<'Account' | 'Article' | 'Tag' | 'User' | 'Orders' | 'Stock', Class> {
  readonly examples: ((context: object) => Promise<void>)[];
  readonly options: ThornModuleOptions;
}

describe('the guide to events', () => {
  let guideModule: Guide;
  let app: INestApplication;
  let webhooks: RecordingStrategy;
  let context: object;

  beforeAll(async () => {
    mkdirSync('.cache/guides', { recursive: true });
    const file = resolve('.cache/guides/events.ts');
    writeFileSync(
      file,
      code.replaceAll(
        /'nestjs-thorn(\/extending)?'/g,
        (_, entry = '') => `'${resolve(`lib${entry}/index.ts`)}'`,
      ),
    );
    guideModule = (await import(/* @vite-ignore */ file)) as Guide;
    const { Account, Article, Tag, User, Orders, Stock, options } = guideModule;
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          type: 'better-sqlite3',
          database: ':memory:',
          synchronize: true,
          autoLoadEntities: true,
        }),
        TypeOrmModule.forFeature([Account, Article, Tag, User]),
        ThornModule.forRoot({ ...options, dispatch: RecordingStrategy }),
      ],
      providers: [Orders, Stock],
    }).compile();
    app = module.createNestApplication();
    app.useLogger(false);
    await app.init();
    webhooks = app.get(DispatchStrategy);
    const dataSource = app.get(DataSource);
    context = {
      dataSource,
      dispatcher: app.get(WebhookDispatcher),
      author: await dataSource.manager.save(User, { username: 'ada' }),
      orders: app.get(Orders),
      stock: app.get(Stock),
    };
  });

  beforeEach(() => webhooks.clear());

  afterAll(() => app?.close());

  // In the order of the page: one goes on from where another left the rows.
  it.each(examples.map((example, index) => ({ example, index })))(
    'has examples that send what they say: $index',
    async ({ example, index }) => {
      await guideModule.examples[index]!(context);

      const said = [...example.matchAll(/^\/\/ → (.+)$/gm)].map(([, line]) => line);
      expect(webhooks.sent.map(({ event, data }) => `${event} ${JSON.stringify(data)}`)).toEqual(
        said,
      );
    },
  );

  it('has examples of static subscribers that are found', async () => {
    const [dispatcher, stock] = [app.get(WebhookDispatcher), app.get(guideModule.Stock)];
    await dispatcher.send('order.flagged', {});
    await dispatcher.send('article.published', {}, { owner: 'ada' });
    await (stock as { take(sku: string): Promise<unknown> }).take('A-1');

    const found = await Promise.all(
      webhooks.sent.map(({ message }) => app.get(FanOut).recipientsOf(message)),
    );
    expect(found.map((recipients) => recipients.map(({ url }) => url))).toEqual([
      ['https://books.example.com/orders'],
      ['https://partners.example.com/ada/article.published'],
      ['https://warehouse.example.com/hooks'],
    ]);
    expect(webhooks.sent[2]!.message.settings).toEqual({
      timeout: 10_000,
      retry: { max: 3, delay: 60_000 },
      keepAlive: false,
      recipients: { requireHttps: true },
    });
  });

  it('has an example of a codec that subscribers can choose', async () => {
    const subscriber = {
      url: 'https://example.com/',
      events: ['order.*'],
      contentType: 'text/csv',
    };
    await expect(app.get(Subscribers).create(subscriber)).resolves.toBeDefined();
    await app.get(WebhookDispatcher).send('order.flagged', {});

    expect(webhooks.sent[0]!.message.body('text/csv').toString()).toMatch(/^order\.flagged,/);
  });

  it('has a catalogue that the types obey', async () => {
    const { Stock } = guideModule;
    expect(app.get(Stock)).toBeInstanceOf(Stock);
    const events = (pattern: string) =>
      app.get(Subscribers).create({ url: 'https://example.com/', events: [pattern] });

    await expect(app.get(WebhookDispatcher).send('order.flaged')).rejects.toThrow(/not declared/);
    await expect(events('stock.low')).rejects.toMatchObject({ field: 'events' });
    await expect(events('artcle.*')).rejects.toMatchObject({ field: 'events' });
    await expect(events('user.*.renamed')).resolves.toBeDefined();
  });
});
