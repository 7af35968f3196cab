import { checkHeaders } from '../../message/header-checks.js';
import type { FormatInput, WebhookFormat } from '../../message/index.js';
import type { TestRunner } from './test-runner.js';

/** The implementation under test. */
export interface WebhookFormatUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Creates an instance, as another process would. */
  makeFormat(): WebhookFormat;
  /** Data of the messages that the application sends. Default: data of every kind of JSON. */
  readonly data?: readonly unknown[];
}

const DATA: readonly unknown[] = [
  { id: 1, title: 'Müller & Söhne <b>"\u2028😀</b>', tags: ['a', null, 2.5], nested: { is: true } },
  {},
  [1, 'two'],
  'text',
  0,
  null,
];

/** Defines the tests that every {@link WebhookFormat} must pass. */
export function webhookFormatConformance(
  { name, makeFormat, data = DATA }: WebhookFormatUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const inputs = data.flatMap((each) => [
    input(each),
    { ...input(each), ref: 'https://example.com/articles/1', owner: 'joe' },
  ]);

  describe(`${name}: every webhook format`, () => {
    it('makes a body of text, and headers that a message may have', async () => {
      const format = makeFormat();
      for (const each of inputs) {
        const { body, contentType = 'application/json', headers = {} } = format.request(each);
        expect(typeof body).toBe('string');
        expect(/^[a-z0-9.+-]+\/[a-z0-9.+-]+/.test(contentType)).toBe(true);
        checkHeaders(headers);
      }
    });

    it('answers a message alike in every process and at every attempt', async () => {
      const one = makeFormat();
      const other = makeFormat();
      for (const each of inputs) {
        const first = one.request(each);
        expect(one.request(each)).toEqual(first);
        expect(other.request(each)).toEqual(first);
      }
    });

    it('leaves the message as it is', async () => {
      const format = makeFormat();
      for (const each of inputs) {
        const before = structuredClone(each);
        format.request(each);
        expect(each).toEqual(before);
      }
    });
  });
}

function input(data: unknown): FormatInput {
  return {
    id: 'msg_01890a5d-ac96-774b-bcce-b302099a8057',
    event: 'article.published',
    timestamp: '2026-11-30T08:00:00.000Z',
    data,
    ref: null,
    owner: null,
    subscriber: { id: 'sub_01890a5d-ac96-774b-bcce-b302099a8058', metadata: { channel: 'news' } },
  };
}
