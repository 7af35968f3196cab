import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecipientRefusedError, ThornConfigurationError } from '../errors/index.js';
import {
  PublicRecipientPolicy,
  type PublicRecipientPolicyOptions,
} from './public-recipient-policy.js';

const policy = new PublicRecipientPolicy();
const anyPort = new PublicRecipientPolicy({ allowedPorts: 'any' });

describe('PublicRecipientPolicy.checkUrl', () => {
  it.each([
    'http://example.com',
    'https://example.com/h/article?u=1',
    'HTTPS://EXAMPLE.COM/',
    'https://example.com:443/',
    'http://example.com:80/',
    'http://example.com:443/',
    'https://example.com./hook',
    'https://example.com/a#fragment',
    'https://xn--bcher-kva.example/',
    'https://bücher.example/straße?ü=1',
    'https://8.8.8.8/',
    'https://0x08080808/',
    'https://134744072/',
    'https://[2606:4700:4700::1111]/',
    'https://[::ffff:8.8.8.8]/',
    'https://[64:ff9b::808:808]/',
    'https://172.15.255.255/',
    'https://172.32.0.0/',
    'https://100.63.255.255/',
    'https://100.128.0.0/',
    'https://169.253.255.255/',
    'https://198.17.255.255/',
    'https://198.20.0.0/',
    'https://223.255.255.255/',
    'https://126.255.255.255/',
    'https://128.0.0.0/',
    'https://localhost.example.com/',
    'https://notlocalhost/',
    'https://example.com/@path?to=user@host',
    `https://example.com/${'a'.repeat(2028)}`,
  ])('lets %s pass', (url) => {
    expect(policy.checkUrl(url).href).toBe(new URL(url).href);
  });

  it.each<[reason: string, urls: unknown[]]>([
    ['malformed-url', [undefined, null, 7, {}, [], ['https://example.com/']]],
    [
      'protocol',
      [
        '',
        'example.com',
        '//example.com/',
        '/path',
        'ftp://example.com/',
        'ws://example.com/',
        'wss://example.com/',
        'file:///etc/passwd',
        'gopher://example.com/',
        'dict://example.com/',
        'ldap://example.com/',
        'data:text/plain,hello',
        'javascript:alert(1)',
        'blob:https://example.com/1',
        'about:blank',
        'httpx://example.com/',
        'http:example.com',
        'http:/example.com/',
        'http:///example.com/',
        'https:?example.com',
        'http://',
        'https://#fragment',
      ],
    ],
    [
      'malformed-url',
      [
        'https://exa%20mple.com/',
        'https://example.com:port/',
        'https://example.com:65536/',
        'https://[::1/',
        'https://[fe80::1%25eth0]/',
        'https://[::1%25lo]/',
        'https://256.256.256.256/',
        'https://1.2.3.4.5/',
        'https://0x100000000/',
        'https://4294967296/',
        'https://127.0.0.0x1g.9/',
        'https://[not-an-address]/',
        'https://[]/',
        'https://exa<mple.com/',
        'https://exa%00mple.com/',
        'https://xn--/',
      ],
    ],
    [
      'forbidden-character',
      [
        ' https://example.com/',
        'https://example.com/ ',
        'https://example.com/a b',
        'https://exam\tple.com/',
        'https://example.com/\r\nHost: internal',
        'ht\ntps://example.com/',
        'https://example.com\\@internal/',
        'https:\\\\example.com/',
        'https://example.com/\\..\\x',
        'https://example.com/\0',
        'https://example.com/\x7f',
        'https://example.com/\u00a0',
        'https://example.com/\u2028',
        'https://exam\u200bple.com/',
        'https://exam\u00adple.com/',
        'https://example.com/\ufeff',
        'https://example.com/\ud800',
        '\u0001https://example.com/',
      ],
    ],
    [
      'credentials',
      [
        'https://user@example.com/',
        'https://user:password@example.com/',
        'https://:password@example.com/',
        'https://@example.com/',
        'https://:@example.com/',
        'https://example.com@127.0.0.1/',
        'https://example.com:80@10.0.0.1/',
        'https://a@b@example.com/',
        'http://127.0.0.1:80@example.com/',
      ],
    ],
    ['too-long', [`https://example.com/${'a'.repeat(2029)}`]],
    [
      'port',
      [
        'http://example.com:22/',
        'http://example.com:8080/',
        'https://example.com:8443/',
        'https://example.com:0/',
        'http://example.com:25/',
        'http://example.com:6379/',
        'http://example.com:65535/',
        'http://example.com:3306/',
      ],
    ],
    [
      'local-name',
      [
        'http://localhost/',
        'http://LOCALHOST/',
        'http://localhost./',
        'http://localhost../',
        'http://foo.localhost/',
        'http://foo.bar.localhost./',
        'http://ｌｏｃａｌｈｏｓｔ/',
        'http://loc%61lhost/',
        'http://ⓛocalhost/',
        'http://localhost.localdomain/',
        'http://localhost4/',
        'http://localhost6/',
        'http://localhost6.localdomain/',
        'http://ip6-localhost/',
        'http://ip6-loopback/',
        'http://loopback/',
        'https://localhost:443/',
      ],
    ],
    [
      'loopback-address',
      [
        'http://127.0.0.1/',
        'http://127.0.0.1./',
        'http://127.1/',
        'http://127.0.1/',
        'http://127.255.255.254/',
        'http://2130706433/',
        'http://0x7f000001/',
        'http://0x7F.1/',
        'http://0x7f.0x0.0x0.0x1/',
        'http://017700000001/',
        'http://0177.0.0.1/',
        'http://0177.0.0.01/',
        'http://127.0.0.1:80/',
        'http://１２７.０.０.１/',
        'http://127。0。0。1/',
        'http://①②⑦.⓪.⓪.①/',
        'http://%31%32%37.0.0.1/',
        'http://127.0.0.%31/',
        'http://[::1]/',
        'http://[0:0:0:0:0:0:0:1]/',
        'http://[0000:0000:0000:0000:0000:0000:0000:0001]/',
        'http://[::ffff:127.0.0.1]/',
        'http://[::ffff:7f00:1]/',
        'http://[0:0:0:0:0:ffff:7f00:0001]/',
        'http://[::FFFF:127.0.0.1]/',
        'http://[64:ff9b::127.0.0.1]/',
        'http://[64:ff9b::7f00:1]/',
      ],
    ],
    [
      'unspecified-address',
      [
        'http://0.0.0.0/',
        'http://0/',
        'http://0x0/',
        'http://0.1.2.3/',
        'http://[::]/',
        'http://[::ffff:0:0]/',
      ],
    ],
    [
      'private-address',
      [
        'http://10.0.0.1/',
        'http://10.255.255.255/',
        'http://167772161/',
        'http://0xa.1/',
        'http://012.0.0.1/',
        'http://172.16.0.1/',
        'http://172.31.255.255/',
        'http://192.168.0.1/',
        'http://192.168.1/',
        'http://0xc0a80001/',
        'http://3232235521/',
        'http://[fc00::1]/',
        'http://[fd12:3456:789a::1]/',
        'http://[fd00:ec2::254]/',
        'http://[fd20:ce::254]/',
        'http://[fd00:42::42]/',
        'http://[::ffff:10.0.0.1]/',
        'http://[::ffff:a00:1]/',
        'http://[64:ff9b::10.0.0.1]/',
        'http://[64:ff9b::c0a8:1]/',
        'http://[2606:4700::5efe:10.0.0.1]/',
        'http://[2606:4700::200:5efe:192.168.0.1]/',
      ],
    ],
    [
      'shared-address',
      ['http://100.64.0.1/', 'http://100.127.255.255/', 'http://100.100.100.200/'],
    ],
    [
      'link-local-address',
      [
        'http://169.254.169.254/latest/meta-data/',
        'http://169.254.170.2/',
        'http://0xa9fea9fe/',
        'http://2852039166/',
        'http://0251.0376.0251.0376/',
        'http://[::ffff:169.254.169.254]/',
        'http://[64:ff9b::a9fe:a9fe]/',
        'http://[fe80::1]/',
        'http://[febf::1]/',
        'http://[fe80::a9fe:a9fe]/',
      ],
    ],
    [
      'multicast-address',
      ['http://224.0.0.1/', 'http://239.255.255.250/', 'http://[ff02::1]/', 'http://[ff0e::1]/'],
    ],
    ['benchmarking-address', ['http://198.18.0.1/', 'http://198.19.255.255/']],
    [
      'documentation-address',
      [
        'http://192.0.2.1/',
        'http://198.51.100.7/',
        'http://203.0.113.9/',
        'http://[2001:db8::1]/',
        'http://[3fff::1]/',
        'http://[64:ff9b::192.0.2.1]/',
      ],
    ],
    [
      'reserved-address',
      [
        'http://192.0.0.1/',
        'http://192.0.0.192/',
        'http://192.88.99.1/',
        'http://240.0.0.1/',
        'http://255.255.255.255/',
        'http://0xffffffff/',
        'http://[2001:2::1]/',
        'http://[2001:10::1]/',
        'http://[2001:20::1]/',
        'http://[2001:1::1]/',
        'http://[3ffe::1]/',
        'http://[100::1]/',
        'http://[100:0:0:1::1]/',
        'http://[64:ff9b:1::8.8.8.8]/',
        'http://[4000::1]/',
        'http://[5f00::1]/',
        'http://[fec0::1]/',
        'http://[1::1]/',
        'http://[::ffff:0:8.8.8.8]/',
        'http://[::1:8.8.8.8]/',
      ],
    ],
    [
      'tunnel-address',
      [
        'http://[2002:7f00:1::]/',
        'http://[2002:a00:1::1]/',
        'http://[2002:808:808::1]/',
        'http://[2001::1]/',
        'http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
        'http://[::127.0.0.1]/',
        'http://[::7f00:1]/',
        'http://[::8.8.8.8]/',
        'http://[::2]/',
      ],
    ],
    [
      'metadata-address',
      [
        'http://168.63.129.16/',
        'http://[::ffff:168.63.129.16]/',
        'http://0xa83f8110/',
        'http://192.80.8.124/',
      ],
    ],
  ])('refuses with %s', (reason, urls) => {
    for (const url of urls) expect({ url, reason: reasonOf(url) }).toEqual({ url, reason });
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
    expect(() => new PublicRecipientPolicy({ denyCidrs: [network] })).toThrow(/^denyCidrs /);
  });

  it('name the network that was meant', () => {
    expect(() => new PublicRecipientPolicy({ allowCidrs: ['10.1.2.3/16'] })).toThrow('10.1.0.0/16');
  });

  it.each([[[]], [[0]], [[65536]], [[80.5]], [[-1]], [['80']], ['all'], [80]])(
    'refuse the ports %j',
    (allowedPorts) => {
      expect(() => new PublicRecipientPolicy({ allowedPorts: allowedPorts as number[] })).toThrow(
        /^allowedPorts /,
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
