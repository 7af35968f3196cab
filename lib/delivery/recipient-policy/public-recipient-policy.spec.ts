import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GOOD_URLS, HOSTILE_URLS } from '../../../test/support/fixtures/recipients.js';
import { RecipientRefusedError, ThornConfigurationError } from '../../errors/index.js';
import { RecipientPolicies } from './event-recipient-policies.js';
import {
  PublicRecipientPolicy,
  type PublicRecipientPolicyOptions,
} from './public-recipient-policy.js';

const policy = new PublicRecipientPolicy();
const anyPort = new PublicRecipientPolicy({ allowedPorts: 'any' });

describe('PublicRecipientPolicy.checkUrl', () => {
  it.each(GOOD_URLS)('lets %s pass', (url) => {
    expect(policy.checkUrl(url).href).toBe(new URL(url).href);
  });

  it.each(HOSTILE_URLS)('refuses with %s', (reason, urls) => {
    for (const url of urls) expect({ url, reason: reasonOf(url) }).toEqual({ url, reason });
  });

  it('refuses a URL that is not a string', () => {
    for (const url of [
      undefined,
      null,
      7,
      {},
      [],
      ['https://example.com/'],
      new URL('https://example.com/'),
    ]) {
      expect(reasonOf(url)).toBe('malformed-url');
    }
  });

  it('leaves with allowedPorts any only the ports that browsers refuse', () => {
    expect(() => anyPort.checkUrl('http://example.com:8080/')).not.toThrow();
    expect(() => anyPort.checkUrl('http://example.com:3306/')).not.toThrow();
    for (const port of [0, 1, 21, 22, 25, 53, 110, 143, 465, 587, 993, 2049, 6000, 6667, 10080]) {
      expect(reasonOf(`http://example.com:${port}/`, anyPort)).toBe('port');
    }
  });

  it('demands https when told so', () => {
    const strict = new PublicRecipientPolicy({ requireHttps: true });

    expect(reasonOf('http://example.com/', strict)).toBe('protocol');
    expect(() => strict.checkUrl('https://example.com/')).not.toThrow();
  });

  it('judges an object that a caller has changed anew', () => {
    const url = policy.checkUrl('https://example.com/changed');
    url.hostname = '10.0.0.1';

    expect(policy.checkUrl('https://example.com/changed').hostname).toBe('example.com');
  });

  it('names no query string and no credentials', () => {
    for (const url of ['https://u:p4ssw0rd@example.com/?q=t0ken', 'http://10.0.0.1/?q=t0ken']) {
      expect(JSON.stringify(refusalOf(url))).not.toMatch(/t0ken|p4ssw0rd/);
      expect(refusalOf(url)!.message).not.toMatch(/t0ken|p4ssw0rd/);
    }
  });

  it('finds a private address in every spelling of its number', () => {
    const spellings = [
      (n: number) => String(n),
      (n: number) => `0x${n.toString(16)}`,
      (n: number) => `0${n.toString(8)}`,
      (n: number) => `0x${(n >>> 24).toString(16)}.${n & 0xffffff}`,
      (n: number) => `0${(n >>> 24).toString(8)}.${(n >>> 16) & 255}.${n & 0xffff}`,
      (n: number) => `[::ffff:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}]`,
      (n: number) => `[64:ff9b::${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}]`,
    ];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffffff }),
        fc.constantFrom(...spellings),
        fc.constantFrom(10, 127),
        (host, spell, network) => {
          const url = `http://${spell(network * 0x1000000 + host)}/`;
          expect(reasonOf(url)).toBe(network === 10 ? 'private-address' : 'loopback-address');
        },
      ),
    );
  });

  it('answers any text with a URL or a refusal', () => {
    fc.assert(
      fc.property(
        fc.webUrl().chain((url) => fc.tuple(fc.constant(url), fc.string())),
        ([url, junk]) => {
          reasonOf(url + junk);
          reasonOf(junk);
          reasonOf(`http://${junk}/`);
        },
      ),
    );
  });
});

describe('PublicRecipientPolicy.checkAddress', () => {
  it.each([
    '',
    'localhost',
    'example.com',
    '127.1',
    '0x7f000001',
    '1.2.3',
    'fe80::1%eth0',
    '8.8.8.8%1',
    '2606:4700::1%0',
    ' 8.8.8.8',
    '[::1]',
    '::g',
    '08.8.8.8',
    '8.8.8.8/32',
  ])('refuses %j, which is no address', (address) => {
    expect(addressReason(address)).toBe('not-an-address');
  });

  it.each(['8.8.8.8', '2606:4700:4700::1111', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8'])(
    'lets %s pass',
    (address) => {
      expect(addressReason(address)).toBeNull();
    },
  );
});

describe('allowCidrs and denyCidrs', () => {
  const lists: PublicRecipientPolicyOptions = {
    allowedPorts: 'any',
    allowCidrs: ['127.0.0.1/32', '10.1.0.0/16', 'fd00:1::/32'],
    denyCidrs: ['10.1.9.0/24', '8.8.8.0/24', '2606:4700::/32'],
  };

  it.each([
    ['127.0.0.1', null],
    ['127.0.0.2', 'loopback-address'],
    ['::ffff:127.0.0.1', null],
    ['64:ff9b::127.0.0.1', null],
    ['::1', 'loopback-address'],
    ['10.1.0.0', null],
    ['10.1.255.255', null],
    ['10.0.255.255', 'private-address'],
    ['10.2.0.0', 'private-address'],
    ['10.1.9.1', 'denied-address'],
    ['::ffff:10.1.9.1', 'denied-address'],
    ['64:ff9b::10.1.9.1', 'denied-address'],
    ['8.8.8.8', 'denied-address'],
    ['8.8.9.8', null],
    ['::ffff:8.8.8.8', 'denied-address'],
    ['2606:4700::1', 'denied-address'],
    ['2606:4701::1', null],
    ['2606:4701::5efe:8.8.8.8', 'denied-address'],
    ['fd00:1::5', null],
    ['fd00:2::5', 'private-address'],
  ])('judge %s as %s', (address, reason) => {
    expect(addressReason(address, new PublicRecipientPolicy(lists))).toBe(reason);
    const literal = address.includes(':') ? `[${address}]` : address;
    expect(reasonOf(`http://${literal}:8080/`, new PublicRecipientPolicy(lists))).toBe(reason);
  });

  it.each([
    [{ denyCidrs: ['::/0'] }, '8.8.8.8', null],
    [{ denyCidrs: ['::/0'] }, '2606:4700::1', 'denied-address'],
    [{ denyCidrs: ['0.0.0.0/0'] }, '2606:4700::1', null],
    [{ denyCidrs: ['0.0.0.0/0'] }, '64:ff9b::8.8.8.8', 'denied-address'],
    [{ denyCidrs: ['::ffff:8.8.8.0/120'] }, '8.8.8.8', 'denied-address'],
    [{ denyCidrs: ['::ffff:8.8.8.0/120'] }, '8.8.9.8', null],
    [{ allowCidrs: ['::/0'] }, '127.0.0.1', 'loopback-address'],
    [{ allowCidrs: ['::/0'] }, '::ffff:169.254.169.254', 'link-local-address'],
    [{ allowCidrs: ['::/0'] }, 'fd00::1', null],
    [{ allowCidrs: ['::ffff:10.1.0.0/112'] }, '10.1.2.3', null],
  ])('are for addresses of their own family: %j for %s', (options, address, reason) => {
    expect(addressReason(address, new PublicRecipientPolicy(options))).toBe(reason);
  });

  it('allow the name localhost only where a loopback address is allowed', () => {
    const loopback4 = new PublicRecipientPolicy({ allowCidrs: ['127.0.0.0/8'] });
    const loopback6 = new PublicRecipientPolicy({ allowCidrs: ['::1/128'] });
    const elsewhere = new PublicRecipientPolicy({ allowCidrs: ['10.0.0.0/8'] });

    expect(reasonOf('http://localhost/', loopback4)).toBeNull();
    expect(reasonOf('http://hooks.localhost/', loopback6)).toBeNull();
    expect(reasonOf('http://localhost/', elsewhere)).toBe('local-name');
  });

  it('agree with arithmetic on every prefix', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffffffff),
        fc.nat(0xffffffff),
        fc.integer({ min: 0, max: 32 }),
        (a, b, prefix) => {
          const mask = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
          const denying = new PublicRecipientPolicy({
            denyCidrs: [`${dotted((a & mask) >>> 0)}/${prefix}`],
          });
          const isIn = (a & mask) >>> 0 === (b & mask) >>> 0;
          expect(addressReason(dotted(b), denying) === 'denied-address').toBe(isIn);
        },
      ),
    );
  });
});

describe('the options', () => {
  it.each([
    '10.0.0.1/8',
    '10.1.2.3/31',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0.0',
    '10.0.0/8',
    '/8',
    '',
    'example.com/8',
    'fd00::1/64',
    'fd00::/129',
    'fd00::/12x',
    'fe80::%eth0/64',
    '::ffff:10.0.0.1/104',
  ])('refuse the network %j in both lists', (network) => {
    expect(() => new PublicRecipientPolicy({ allowCidrs: [network] })).toThrow(
      ThornConfigurationError,
    );
    expect(() => new PublicRecipientPolicy({ denyCidrs: [network] })).toThrow(
      /^`recipients\.denyCidrs` /,
    );
  });

  it('name the network that was meant', () => {
    expect(() => new PublicRecipientPolicy({ allowCidrs: ['10.1.2.3/16'] })).toThrow('10.1.0.0/16');
  });

  it.each([[[]], [[0]], [[65536]], [[80.5]], [[-1]], [['80']], ['all'], [80]])(
    'refuse the ports %j',
    (allowedPorts) => {
      expect(() => new PublicRecipientPolicy({ allowedPorts: allowedPorts as number[] })).toThrow(
        /^`recipients\.allowedPorts` /,
      );
    },
  );
});

function refusalOf(url: unknown, judge = policy): RecipientRefusedError | null {
  try {
    judge.checkUrl(url as string);
    return null;
  } catch (error) {
    if (error instanceof RecipientRefusedError) return error;
    throw error;
  }
}

function reasonOf(url: unknown, judge = policy): string | null {
  return refusalOf(url, judge)?.reason ?? null;
}

function addressReason(address: string, judge = policy): string | null {
  try {
    judge.checkAddress(address);
    return null;
  } catch (error) {
    if (error instanceof RecipientRefusedError) return error.reason;
    throw error;
  }
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

describe('the rules of an event', () => {
  const rules = { allowCidrs: ['10.1.0.0/16'], denyCidrs: ['10.1.9.0/24'] };
  const policies = new RecipientPolicies(new PublicRecipientPolicy(rules), rules);

  it('allow no network that the module denies', () => {
    const policy = policies.of({ allowCidrs: ['10.0.0.0/8'], denyCidrs: ['10.2.0.0/16'] });

    policy.checkAddress('10.3.0.1');
    expect(() => policy.checkAddress('10.1.9.1')).toThrow(RecipientRefusedError);
    expect(() => policy.checkAddress('10.2.0.1')).toThrow(RecipientRefusedError);
  });

  it('are refused when a list is not one', () => {
    expect(() => policies.of({ denyCidrs: 5 as never })).toThrow(/^`recipients\.denyCidrs` /);
  });
});
