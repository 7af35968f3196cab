import { OptionChecks } from '../../common/option-checks.js';

/** The headers of answers that the delivery log keeps. */
export interface AnswerHeaderOptions {
  /**
   * Names of the headers, in any case. Default: `content-type`, `content-length`, `date`, `location`, `retry-after`, `server`,
   * `via`, `www-authenticate`, `allow`, `x-request-id`, `x-correlation-id`, `request-id`, `traceparent`, `cf-ray`. Cookies
   * are never kept.
   */
  readonly names?: readonly string[];
  /** The attempts whose headers are kept: `failures` (default), `everything` or `nothing`. */
  readonly of?: 'failures' | 'everything' | 'nothing';
}

const NAMES = [
  ...['content-type', 'content-length', 'date', 'location', 'retry-after', 'server', 'via'],
  ...['www-authenticate', 'allow', 'x-request-id', 'x-correlation-id', 'request-id'],
  ...['traceparent', 'cf-ray'],
];
const NEVER: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2', 'cookie']);
const NAME = /^[\w!#$%&'*+.^`|~-]{1,128}$/;
/** Characters of names and values together. */
const MOST = 4096;

/** Selects the headers of an answer to keep. */
export class AnswerHeaders {
  readonly #names: readonly string[];
  readonly #of: NonNullable<AnswerHeaderOptions['of']>;

  /** @throws `ThornConfigurationError` naming the invalid option */
  constructor(options: AnswerHeaderOptions = {}) {
    const outer = new OptionChecks('');
    outer.object('answerHeaders', options, ['names', 'of']);
    const check = outer.within('answerHeaders');
    const { names = NAMES, of = 'failures' } = options;
    check.oneOf('of', of, ['failures', 'everything', 'nothing']);
    check.assert(
      'names',
      Array.isArray(names) && names.every((name) => typeof name === 'string' && NAME.test(name)),
      "must be a list of names of headers, for example ['retry-after', 'x-request-id']",
    );
    const lower = [...new Set(names.map((name) => name.toLowerCase()))];
    const cookie = lower.find((name) => NEVER.has(name));
    check.assert(
      'names',
      cookie === undefined,
      `must not have ${cookie}: a reader of the log could sign in with a cookie. Remove that name`,
    );
    this.#names = lower;
    this.#of = of;
  }

  /**
   * The headers to keep; null for none. When the values are longer than 4 KiB together, they are cut.
   *
   * @param response the answer, whose headers are decoded when they are read
   * @param shown what may be kept of a value, before it is cut
   */
  kept(
    response: {
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
    },
    isSuccess: boolean,
    shown: (value: string) => string = (value) => value,
  ): Readonly<Record<string, string>> | null {
    if (this.#of === 'nothing' || (isSuccess && this.#of === 'failures')) return null;
    const { headers } = response;
    const kept: [string, string][] = [];
    let room = MOST;
    for (const name of this.#names) {
      const given = headers[name];
      if (given === undefined || room <= name.length) continue;
      room -= name.length;
      const whole = shown(typeof given === 'string' ? given : given.join(', '));
      const value = cut(storable(whole), room);
      room -= Buffer.byteLength(value);
      kept.push([name, value]);
    }
    return kept.length === 0 ? null : Object.fromEntries(kept);
  }
}

function storable(value: string): string {
  return Buffer.from(value).toString().replaceAll('\0', '');
}

/** Never within a character. */
function cut(value: string, bytes: number): string {
  const all = Buffer.from(value);
  if (all.length <= bytes) return value;
  let end = bytes;
  while (end > 0 && (all[end]! & 0xc0) === 0x80) end--;
  return all.toString('utf8', 0, end);
}
