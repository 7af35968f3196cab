import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../lib/cli/main.js';
import { applyChanges } from '../../lib/cli/init/file-changes.js';
import { addModule, addRawBody, NotUnderstood } from '../../lib/cli/init/source-edits.js';
import { writeNestApplication } from '../support/fixtures/nest-application.js';

async function init(args: readonly string[], answer = '') {
  const [out, notes]: [string[], string[]] = [[], []];
  const code = await main(['init', ...args], {
    out: (line) => void out.push(line),
    bytes: () => undefined,
    note: (line) => void notes.push(line),
    ask: async () => answer,
    hasColours: false,
    env: {},
    read: async () => Buffer.alloc(0),
    interrupted: new AbortController().signal,
  });
  return { code, out: out.join('\n'), notes: notes.join('\n') };
}

/** The application's own files, with their texts. */
function filesOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  const files = names.filter((name) => /\.\w+$/.test(name) && !name.startsWith('node_modules'));
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

describe.each([11, 12] as const)('thorn init in what `nest new` of Nest %i makes', (major) => {
  let folder: string;
  let before: Readonly<Record<string, string>>;
  beforeEach(() => {
    folder = writeNestApplication(major);
    before = filesOf(folder);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('shows the difference, and changes nothing without a yes', async () => {
    const { code, out } = await init([folder], 'no');

    expect(code).toBe(1);
    expect(out.split('\n')).toEqual(
      expect.arrayContaining([
        '--- src/app.module.ts',
        `+import { WebhooksModule } from './webhooks/webhooks.module${major === 12 ? '.js' : ''}';`,
        '-  imports: [],',
        '+  imports: [WebhooksModule],',
        '-  const app = await NestFactory.create(AppModule);',
        '+  const app = await NestFactory.create(AppModule, { rawBody: true });',
        '+++ src/webhooks/webhooks.module.ts',
      ]),
    );
    expect(filesOf(folder)).toEqual(before);
  });

  it('shows lines that stay as lines that stay', async () => {
    const { out } = await init([folder], 'no');
    expect(out).toContain('\n @Module({\n');
    expect(out).not.toContain('-@Module({');
  });

  it("writes files as the application's own Prettier would", async () => {
    await init([folder, '--yes']);
    for (const [name, text] of Object.entries(filesOf(folder))) {
      if (!name.endsWith('.ts')) continue;
      const style = { parser: 'typescript', singleQuote: true, trailingComma: 'all' } as const;
      expect(text, name).toBe(await format(text, style));
    }
  });

  it('says when npm has brought a package that Jest cannot load', async () => {
    for (const [name, version] of [
      ['core', `${major}.0.1`],
      ['typeorm', '12.0.2'],
    ]) {
      const path = join(folder, 'node_modules/@nestjs', name!);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'package.json'), JSON.stringify({ version }));
    }
    const { notes } = await init([folder, '--yes']);
    expect(notes.includes('npm install @nestjs/typeorm@11')).toBe(major === 11);
  });

  it('adds the module, an event and a listener, and takes them back', async () => {
    expect((await init([folder], 'y')).code).toBe(0);
    expect(Object.keys(filesOf(folder)).filter((name) => !(name in before))).toEqual([
      join('src', 'webhooks', 'greetings.controller.ts'),
      join('src', 'webhooks', 'webhooks.controller.ts'),
      join('src', 'webhooks', 'webhooks.module.ts'),
    ]);
    const again = await init([folder, '--yes']);
    expect([again.code, again.notes]).toEqual([
      2,
      expect.stringContaining('src/app.module.ts imports webhooks already'),
    ]);

    expect((await init([folder, '--undo', '--yes'])).code).toBe(0);
    expect(filesOf(folder)).toEqual(before);
    expect(existsSync(join(folder, 'src/webhooks'))).toBe(false);
    expect((await init([folder, '--undo', '--yes'])).notes).toContain('there is nothing to undo');
  });

  it('does not undo what was changed since', async () => {
    await init([folder, '--yes']);
    writeFileSync(join(folder, 'src/main.ts'), '// mine\n');
    const { code, notes } = await init([folder, '--undo', '--yes']);
    expect([code, notes]).toEqual([2, expect.stringContaining('src/main.ts changed since')]);
    expect(readFileSync(join(folder, 'src/main.ts'), 'utf8')).toBe('// mine\n');
    expect(existsSync(join(folder, 'src/webhooks/webhooks.module.ts'))).toBe(true);
  });

  it.each<[string, string, string | null, string]>([
    ['no module', 'src/app.module.ts', null, 'there is no src/app.module.ts'],
    ['no main file', 'src/main.ts', null, 'there is no src/main.ts'],
    [
      'a syntax error',
      'src/app.module.ts',
      "import { X } from 'x';\n@Module({",
      'has a syntax error',
    ],
    ['a file in the way', 'src/webhooks/webhooks.module.ts', '', 'exists already'],
  ])('leaves an application with %s as it is', async (_, name, text, why) => {
    if (text === null) rmSync(join(folder, name));
    else await applyChanges(folder, [{ path: name, before: null, after: text }]);
    const found = filesOf(folder);

    const { code, notes } = await init([folder, '--yes']);
    expect([code, notes]).toEqual([2, expect.stringContaining(why)]);
    expect(filesOf(folder)).toEqual(found);
  });
});

describe('changes of files', () => {
  it('are all taken back when one of them fails', async () => {
    const folder = writeNestApplication(11);
    const before = filesOf(folder);
    const path = 'src/main.ts';
    const changes = [
      { path, before: before[join('src', 'main.ts')]!, after: 'new' },
      { path: 'src/new/file.ts', before: null, after: 'new' },
      // A file is no folder.
      { path: `${path}/below.ts`, before: null, after: 'new' },
    ];
    await expect(applyChanges(folder, changes)).rejects.toThrow();
    expect(filesOf(folder)).toEqual(before);
    rmSync(folder, { recursive: true });
  });
});

describe('a module', () => {
  const head = "import { Module } from '@nestjs/common';\n";
  it.each<[string, string, string]>([
    ['one line', 'imports: [A],', 'imports: [A, WebhooksModule],'],
    [
      'many lines',
      'imports: [\n    A,\n    B.forRoot({ x: [1] }),\n  ],',
      'imports: [\n    A,\n    B.forRoot({ x: [1] }),\n    WebhooksModule,\n  ],',
    ],
    ['no imports', 'providers: [A],', 'imports: [WebhooksModule],providers: [A],'],
    ['nothing', '', 'imports: [WebhooksModule]'],
  ])('gets another import beside %s', (_, given, expected) => {
    const text = `${head}@Module({ ${given} })\nexport class AppModule {}\n`;
    const result = addModule(ts, 'app.module.ts', text, '');
    expect(result.replaceAll(/\{ +/g, '{ ').replaceAll(/, (?=providers)/g, ',')).toContain(
      expected,
    );
    expect(() => addModule(ts, 'app.module.ts', result, '')).toThrow('already');
  });

  it('keeps a comment beside the import that it belongs to', () => {
    const text = `import { A } from './a'; // first\n@Module({ imports: [A] })\nclass B {}\n`;
    expect(addModule(ts, 'app.module.ts', text, '')).toContain(
      "import { A } from './a'; // first\nimport { WebhooksModule } from './webhooks/webhooks.module';\n",
    );
  });

  it.each<[string, string, string]>([
    ['imports of a variable', '@Module({ imports: all })\nclass A {}', 'not a list'],
    ['options of a variable', '@Module(options)\nclass A {}', 'does not give @Module() an object'],
    ['two modules', '@Module({})\nclass A {}\n@Module({})\nclass B {}', 'one class'],
    ['no module', 'class A {}', 'one class'],
  ])('is not understood with %s', (_, code, why) => {
    const add = () => addModule(ts, 'app.module.ts', head + code, '');
    expect(add).toThrow(NotUnderstood);
    expect(add).toThrow(why);
  });
});

describe('the main file', () => {
  it.each([
    ['(AppModule)', '(AppModule, { rawBody: true })'],
    ['(AppModule, {})', '(AppModule, { rawBody: true })'],
    ['(AppModule, { cors: true })', '(AppModule, { rawBody: true, cors: true })'],
    ['(AppModule, new FastifyAdapter())', '(AppModule, new FastifyAdapter(), { rawBody: true })'],
    ['<X>(AppModule, { rawBody: true })', '<X>(AppModule, { rawBody: true })'],
  ])('that calls create%s then calls create%s', (given, expected) => {
    const text = addRawBody(ts, 'main.ts', `const app = await NestFactory.create${given};\n`);
    expect(text).toContain(`NestFactory.create${expected};`);
  });

  it.each([
    ['NestFactory.createMicroservice(AppModule)', 'does not call NestFactory.create()'],
    ['NestFactory.create(AppModule, options)', 'that are not written there'],
    ['NestFactory.create(AppModule, { rawBody: false })', 'something else than true'],
    ['NestFactory.create()', 'without a module'],
  ])('is not understood with %s', (call, why) => {
    expect(() => addRawBody(ts, 'main.ts', `const app = await ${call};\n`)).toThrow(why);
  });
});
