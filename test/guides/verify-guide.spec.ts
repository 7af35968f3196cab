import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signWebhook } from '../../lib/testing/index.js';
import { blocksOf } from './blocks.js';

const run = promisify(execFile);
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const FOLDER = resolve('.cache/guides/verify');
const BODY = '{"type":"order.paid","data":{"name":"Zoë"}}';

interface Language {
  readonly name: string;
  /** Commands without which it cannot be tried here. */
  readonly needs: readonly string[];
  readonly file: string;
  /** A program that prints whether the arguments are a signed request. */
  readonly program: readonly [file: string, text: string];
  readonly build?: string;
  readonly start: string;
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'js',
    needs: ['node'],
    file: 'verify.mjs',
    program: [
      'main.mjs',
      `import { verify } from './verify.mjs';
       const [secret, id, time, signatures, body] = process.argv.slice(2);
       console.log(verify(secret, id, time, signatures, Buffer.from(body)));`,
    ],
    start: 'node main.mjs',
  },
  {
    name: 'python',
    needs: ['python3'],
    file: 'verify.py',
    program: [
      'main.py',
      `import sys\nfrom verify import verify\nprint(verify(*sys.argv[1:5], sys.argv[5].encode()))`,
    ],
    start: 'python3 main.py',
  },
  {
    name: 'go',
    needs: ['go'],
    file: 'verify.go',
    program: [
      'main.go',
      `package main
       import ("fmt"; "os")
       func main() { fmt.Println(Verify(os.Args[1], os.Args[2], os.Args[3], os.Args[4], []byte(os.Args[5]))) }`,
    ],
    build: 'GOCACHE=$PWD/go-cache go build -o verify verify.go main.go',
    start: './verify',
  },
  {
    name: 'ruby',
    needs: ['ruby'],
    file: 'verify.rb',
    program: ['main.rb', `require_relative 'verify'\nputs verify(*ARGV)`],
    start: 'ruby main.rb',
  },
  {
    name: 'php',
    needs: ['php'],
    file: 'verify.php',
    program: [
      'main.php',
      `<?php require 'verify.php'; var_export(verify(...array_slice($argv, 1)));`,
    ],
    start: 'php main.php',
  },
  {
    name: 'java',
    needs: ['javac', 'java'],
    file: 'Verify.java',
    program: [
      'Main.java',
      `class Main {
         public static void main(String[] a) throws Exception {
           System.out.println(Verify.verify(a[0], a[1], a[2], a[3], a[4].getBytes("UTF-8")));
         }
       }`,
    ],
    build: 'javac Verify.java Main.java',
    start: 'java -Dsun.jnu.encoding=UTF-8 Main',
  },
  {
    name: 'csharp',
    needs: ['mcs', 'mono'],
    file: 'Verify.cs',
    program: [
      'Main.cs',
      `static class Program {
         static void Main(string[] a) {
           System.Console.WriteLine(Webhooks.Verify(a[0], a[1], a[2], a[3], System.Text.Encoding.UTF8.GetBytes(a[4])));
         }
       }`,
    ],
    build: 'mcs -out:verify.exe Verify.cs Main.cs',
    start: 'mono verify.exe',
  },
];

const isThere = (command: string) =>
  execFileSync('sh', ['-c', `command -v ${command} || true`], { encoding: 'utf8' }) !== '';
const here = LANGUAGES.filter(({ needs }) => needs.every(isThere));

describe('docs/verify.md', () => {
  const blocks = blocksOf('docs/verify.md');

  beforeAll(() => {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
  });
  afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

  it('has code for seven languages, of which this machine has some', () => {
    const names = blocks.map(({ language }) => language);
    expect(names).toEqual([...LANGUAGES.map(({ name }) => name), 'sh']);
    expect(here.map(({ name }) => name)).toContain('js');
  });

  it.each(here)('verifies in $name', async (language) => {
    const folder = join(FOLDER, language.name);
    mkdirSync(folder);
    const { code } = blocks.find((block) => block.language === language.name)!;
    writeFileSync(join(folder, language.file), code);
    writeFileSync(join(folder, language.program[0]), language.program[1]);
    const shell = (command: string, ...values: readonly string[]) =>
      run('sh', ['-c', `${command} "$@"`, 'sh', ...values], {
        cwd: folder,
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
      });
    if (language.build !== undefined) await shell(language.build);
    const verdict = async (values: readonly string[]) => {
      const { stdout } = await shell(language.start, ...values);
      return stdout.trim().toLowerCase();
    };

    const signed = (secrets: readonly string[], time = Date.now()) => {
      const { headers } = signWebhook({ body: BODY, secrets, time });
      const part = (name: string) => headers[`webhook-${name}`]!;
      return [SECRET, part('id'), part('timestamp'), part('signature'), BODY];
    };
    const good = signed([SECRET]);
    const rotated = signed(['whsec_c29tZSBvdGhlciBzZWNyZXQgb2YgMjQgYnl0ZXM=', SECRET]);
    expect(await verdict(good)).toBe('true');
    expect(await verdict(rotated)).toBe('true');
    if (language.name === 'python') {
      const unpadded = 'whsec_c29tZSBvdGhlciBzZWNyZXQgb2YgMjQgYnl0ZXM';
      expect(await verdict(signed([unpadded]).with(0, unpadded))).toBe('true');
    }

    expect(await verdict([...good.slice(0, 4), `${BODY} `])).toBe('false');
    expect(await verdict(signed([SECRET], Date.now() - 6 * 60_000))).toBe('false');
    for (const time of ['soon', '²', '9'.repeat(400), '-9223372036854775808']) {
      expect([time, await verdict(good.with(2, time))]).toEqual([time, 'false']);
    }
    expect(await verdict(good.with(3, good[3]!.replace('v1,', 'v2,')))).toBe('false');
  });
});
