import { isIPv4 } from 'node:net';
import type { RecipientPolicy } from '../../lib/delivery/index.js';
import { RecipientRefusedError } from '../../lib/errors/index.js';
import type { TestRunner } from '../../lib/testing/index.js';

/** The implementation under test, with examples of its decisions. */
export interface RecipientPolicyUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  makePolicy(): RecipientPolicy;
  /** At least one of each. */
  readonly allowed: { readonly urls: readonly string[]; readonly addresses: readonly string[] };
  /** None at all for a policy that allows everything. */
  readonly refused: { readonly urls: readonly string[]; readonly addresses: readonly string[] };
}

const NO_ADDRESSES = [
  '',
  'example.com',
  '127.0.0.1:80',
  '1.2.3',
  '::1%eth0',
  '[::1]',
  '1.2.3.4/32',
  // Possible results of a custom resolver.
  ['1.1.1.1'] as unknown as string,
  undefined as unknown as string,
];

/** Defines the tests that every {@link RecipientPolicy} must pass. */
export function recipientPolicyConformance(
  { name, makePolicy, allowed, refused }: RecipientPolicyUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  describe(`${name}: every recipient policy`, () => {
    it('returns an allowed URL as the platform parses it', async () => {
      const policy = makePolicy();
      expect(allowed.urls.map((url) => policy.checkUrl(url).href)).toEqual(
        allowed.urls.map((url) => new URL(url).href),
      );
    });

    it('lets allowed addresses pass', async () => {
      const policy = makePolicy();
      expect(
        allowed.addresses.map((address) => verdict(() => policy.checkAddress(address))),
      ).toEqual(allowed.addresses.map(() => null));
    });

    it('refuses with a reason: a short, stable word', async () => {
      const policy = makePolicy();
      const reasons = [
        ...refused.urls.map((url) => verdict(() => policy.checkUrl(url))),
        ...refused.addresses.map((address) => verdict(() => policy.checkAddress(address))),
      ];
      expect(reasons.filter((reason) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(reason ?? ''))).toEqual(
        [],
      );
    });

    it('judges a URL alike, however often and in any order', async () => {
      const policy = makePolicy();
      const urls = [...allowed.urls, ...refused.urls];
      const judge = () => urls.map((url) => verdict(() => policy.checkUrl(url)));
      const first = judge();
      urls.reverse();
      expect(judge().toReversed()).toEqual(first);
      urls.reverse();
      expect(judge()).toEqual(first);
    });

    it('is not misled by a caller that changes a returned URL', async () => {
      const policy = makePolicy();
      const [url] = allowed.urls;
      policy.checkUrl(url!).host = '127.0.0.1:22';
      expect(policy.checkUrl(url!).href).toBe(new URL(url!).href);
    });

    it('refuses values that are not URLs', async () => {
      const policy = makePolicy();
      const texts = ['', ' ', '/hooks', 'example.com', '//example.com/', 'https://', 'http://[::1'];
      const noTexts = [null, undefined, 7, {}, ['https://example.com/']] as unknown as string[];
      for (const url of [...texts, ...noTexts]) {
        expect(verdict(() => policy.checkUrl(url))).not.toBeNull();
      }
    });

    it('refuses invalid addresses', async () => {
      const policy = makePolicy();
      for (const address of NO_ADDRESSES) {
        expect(verdict(() => policy.checkAddress(address))).not.toBeNull();
      }
    });

    it('refuses an IPv4 address in its IPv6 form as well', async () => {
      const policy = makePolicy();
      for (const address of refused.addresses.filter((each) => isIPv4(each))) {
        expect(verdict(() => policy.checkAddress(`::ffff:${address}`))).not.toBeNull();
      }
    });

    it('keeps the query and the credentials of a URL out of its errors', async () => {
      const policy = makePolicy();
      for (const refusedUrl of refused.urls.filter((each) => URL.canParse(each))) {
        const url = new URL(refusedUrl);
        url.search = '?token=unspeakable';
        url.password = 'unspeakable';
        const error = errorOf(() => policy.checkUrl(url.href));
        const shown = error instanceof RecipientRefusedError ? JSON.stringify(error.data) : '';
        expect(`${String(error)} ${shown}`).not.toContain('unspeakable');
      }
    });
  });
}

/** Returns the reason for a refusal, or null. */
function verdict(check: () => unknown): string | null {
  const error = errorOf(check);
  if (error === undefined) return null;
  if (error instanceof RecipientRefusedError) return error.reason;
  throw new Error('The policy threw something else than a RecipientRefusedError', { cause: error });
}

function errorOf(check: () => unknown): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    return error;
  }
}
