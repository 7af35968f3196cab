import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERIFICATION } from '../../page/core/verification.js';
import { generateSecret } from '../../lib/index.js';
import { OwnerPage } from '../support/apps/owner-page.js';

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly secret: string;
}

let folder: string;
let sent: Request;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'thorn-verification-'));
  const packages = fileURLToPath(new URL('../../node_modules', import.meta.url));
  symlinkSync(packages, join(folder, 'node_modules'));
  const owner = await OwnerPage.start();
  const secret = generateSecret();
  const endpoint = await owner.endpoint({ secret });
  // Two secrets sign, so that one of two signatures has to be found.
  await owner.api.subscribers.rotateSecret(endpoint, { overlap: '1h' }, 'any');
  await owner.deliver(endpoint, { title: 'Zoë 🎉' });
  const { headers, body } = owner.receiver.received[0]!;
  sent = { headers: headers as Record<string, string>, body: body.toString(), secret };
  await owner.stop();
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const run = (program: string, ...given: string[]) =>
  execFileSync(program, given, { cwd: folder, encoding: 'utf8' }).trim();
/** Tells whether a program runs: the library of another language may not be on this machine. */
const runs = (program: string, ...given: string[]) => spawnSync(program, given).status === 0;

/** Ways to run the programs that the page shows; each says whether a request is genuine. */
const LANGUAGES: Readonly<Record<string, (request: Request) => boolean>> = {
  Node: ({ headers, body, secret }) => {
    write('verify.mjs', VERIFICATION.Node);
    const call = `isGenuine(${JSON.stringify(headers)}, ${JSON.stringify(body)}, '${secret}')`;
    write('run.mjs', `import { isGenuine } from './verify.mjs';\nconsole.log(${call});`);
    return run(process.execPath, 'run.mjs') === 'true';
  },
  ...(runs('python3', '-c', 'import standardwebhooks') && {
    Python: (request: Request) => {
      write('verify.py', VERIFICATION.Python);
      write('request.json', JSON.stringify(request));
      write(
        'run.py',
        `import json, verify
given = json.load(open("request.json", encoding="utf-8"))
print(verify.is_genuine(given["headers"], given["body"].encode(), given["secret"]))`,
      );
      return run('python3', 'run.py') === 'True';
    },
  }),
  ...(runs('ruby', '-e', "require 'standardwebhooks'") && {
    Ruby: (request: Request) => {
      write('verify.rb', VERIFICATION.Ruby);
      write('request.json', JSON.stringify(request));
      write(
        'run.rb',
        `require 'json'
require_relative 'verify'
given = JSON.parse(File.read('request.json'))
puts genuine?(given['headers'], given['body'], given['secret'])`,
      );
      return run('ruby', 'run.rb') === 'true';
    },
  }),
  // It prints the signature, to be compared by eye.
  Shell: ({ headers, body, secret }) => {
    write('body.json', body);
    const given = `id='${headers['webhook-id']}'\ntime='${headers['webhook-timestamp']}'\n`;
    write('verify.sh', `secret='${secret}'\n${given}${VERIFICATION.Shell}`);
    const signatures = headers['webhook-signature']!.split(' ');
    return signatures.includes(`v1,${run('bash', 'verify.sh')}`);
  },
};

describe.each(Object.entries(LANGUAGES))('the program in %s', (_language, isGenuine) => {
  it('accepts a request as it was sent, by an old secret too', () => {
    expect(sent.headers['webhook-signature']!.split(' ')).toHaveLength(2);
    expect(isGenuine(sent)).toBe(true);
  });

  it('rejects another body, another secret and another time', () => {
    expect(isGenuine({ ...sent, body: `${sent.body} ` })).toBe(false);
    expect(isGenuine({ ...sent, secret: generateSecret() })).toBe(false);
    const other = String(Number(sent.headers['webhook-timestamp']) + 1);
    expect(isGenuine({ ...sent, headers: { ...sent.headers, 'webhook-timestamp': other } })).toBe(
      false,
    );
  });
});
