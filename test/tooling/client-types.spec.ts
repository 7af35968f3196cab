import { resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const CLIENTS = [
  ...['better-sqlite3', 'drizzle', 'knex', 'kysely', 'mcp', 'mysql2', 'pg', 'prisma-6', 'prisma-7'],
];

// What must not compile stands there below @ts-expect-error.
it('takes the clients and transactions of the real packages, and no others', () => {
  const files = CLIENTS.map((client) => resolve('test/clients', client, 'types.ts'));
  const { config } = ts.readConfigFile('tsconfig.json', (file) => ts.sys.readFile(file)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const program = ts.createProgram(files, { ...options, declaration: false });
  const faults = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => ({
    place: file && `${file.fileName}:${file.getLineAndCharacterOfPosition(start!).line + 1}`,
    text: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }));

  expect(faults).toEqual([]);
});
