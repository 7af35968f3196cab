import { ConsoleLogger, type LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  defineEvents,
  inline,
  Subscribers,
  ThornModule,
  WebhookDispatcher,
} from '../../lib/index.js';

const EVENT = 'order.placed';

afterEach(() => void vi.restoreAllMocks());

/** What the logger writes of an attempt at a host that has come to lead inside, and the ids of it. */
async function written(makeLogger: () => LoggerService) {
  let address = '9.9.9.9';
  const module = await Test.createTestingModule({
    imports: [
      ThornModule.forRoot({
        dataSources: [],
        dispatch: inline(),
        events: defineEvents({ [EVENT]: { description: 'An order was placed' } }),
        http: { lookup: (_host, _options, done) => done(null, [{ address, family: 4 }]) },
      }),
    ],
  }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.init();
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const url = 'https://hooks.example.com/a/path?key=s3cret';
  const { id } = await app.get(Subscribers).create({ url, events: ['*'], secret });
  address = '10.0.0.1';
  let text = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
  }
  app.useLogger(makeLogger());
  const sent = await app.get(WebhookDispatcher).send(EVENT, { a: 'body' });
  app.useLogger(false);
  vi.restoreAllMocks();
  await app.close();
  expect(text).not.toMatch(/s3cret|whsec|\/a\/path|body/);
  const [attempt] = sent.attempts;
  const fields = {
    message: `${attempt!.deliveryId} (${EVENT}) to ${id}: ${attempt!.error!.message}.`,
    ...{ deliveryId: attempt!.deliveryId, messageId: sent.id, subscriberId: id, event: EVENT },
    ...{ host: 'hooks.example.com', reason: 'recipient-refused' },
  };
  return { lines: text.trimEnd().split('\n'), fields };
}

describe('a log line about a delivery', () => {
  it('is a sentence in a text log', async () => {
    const { lines, fields } = await written(() => new ConsoleLogger({ colors: false }));
    expect(lines).toEqual([expect.stringMatching(/^\[Nest\] .+ WARN \[Thorn\] dlv_.+\.$/)]);
    expect(lines[0]).toContain(`[Thorn] ${fields.message}`);
  });

  it('has fields in a JSON log', async () => {
    const { lines, fields } = await written(() => new ConsoleLogger({ json: true, colors: false }));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 'warn', context: 'Thorn', message: fields }),
    ]);
  });

  it('has fields where the logger merges objects into records, and is a sentence as text', async () => {
    const records: object[] = [];
    const texts: string[] = [];
    const heed = (line: unknown, context: string) => {
      records.push(Object.assign({ context }, line));
      texts.push(String(line));
    };
    const logger = { log: heed, warn: heed, error: heed } satisfies LoggerService;
    const { fields } = await written(() => logger);
    expect(records).toEqual([{ context: 'Thorn', ...fields }]);
    expect(texts).toEqual([fields.message]);
  });
});
