import type ts from 'typescript';
import { join, posix } from 'node:path';
import type { ApplicationClass, SourceText } from './application-classes.js';
import type { DatabaseClient } from './database-client.js';
import { readText } from './file-changes.js';
import { type Ending, subjectOf, type TypeScript } from './source-edits.js';

/** A model of Prisma or a table of Drizzle. */
export interface DatabaseTable extends ApplicationClass {
  /** The name in the database. */
  readonly table: string;
  /** The names of columns in the database by their properties, where they differ. */
  readonly columns: Readonly<Record<string, string>>;
  /** Where the type of a row, or the table of Drizzle, is imported from. */
  readonly module: string;
}

/** The tables of the application that events can be declared on. */
export async function databaseTables(
  folder: string,
  compiler: TypeScript,
  { client, provided }: DatabaseClient,
  sources: readonly SourceText[],
): Promise<readonly DatabaseTable[]> {
  if (client === 'drizzle') return sources.flatMap((source) => drizzleTables(compiler, source));
  const schema = await readText(join(folder, 'prisma', 'schema.prisma'));
  return prismaTables(schema ?? '', clientModule(sources.find(isAt(provided.path))!));
}

function isAt(path: string) {
  return (source: SourceText): boolean => source.path === path;
}

/** Where the application's service imports Prisma's client from, as a file in `webhooks` does. */
function clientModule({ path, text }: SourceText): string {
  const pattern = /\bPrismaClient\b[^;'"]*\bfrom\s*['"]([^'"]+)['"]/;
  const [, from = '@prisma/client'] = pattern.exec(text) ?? [];
  return from.startsWith('.')
    ? posix.relative('webhooks', posix.join(posix.dirname(path), from))
    : from;
}

function prismaTables(schema: string, module: string): readonly DatabaseTable[] {
  const models = [...schema.matchAll(/^model\s+(\w+)\s*\{\n([\s\S]*?)^\}/gm)];
  const names = new Set(models.map(([, name]) => name));
  return models.flatMap(([, name = '', body = '']) => {
    const lines = body.split('\n').map((line) => line.replace(/\/\/.*/, '').trim());
    const fields = lines.flatMap((line) => {
      const [, field, type] = /^(\w+)\s+(\w+)/.exec(line) ?? [];
      return field === undefined || names.has(type) ? [] : [{ field, line }];
    });
    const own = fields.filter(({ line }) => /\s@id\b/.test(line)).map(({ field }) => field);
    const [, list = ''] = /^@@id\(\s*(?:fields:\s*)?\[([^\]]*)\]/m.exec(lines.join('\n')) ?? [];
    const keys = own.length > 0 ? own : (list.match(/\w+/g) ?? []);
    const columns = fields.flatMap(({ field, line }) => {
      const [, column] = /\s@map\(\s*(?:name:\s*)?"([^"]+)"/.exec(line) ?? [];
      return column === undefined ? [] : [[field, column] as const];
    });
    const said = (attribute: string): string | undefined =>
      new RegExp(`^@@${attribute}\\(\\s*(?:name:\\s*)?"([^"]+)"`, 'm').exec(lines.join('\n'))?.[1];
    // An event tells of a row by its key.
    if (keys.length === 0) return [];
    const table = [said('schema'), said('map') ?? name].filter(Boolean).join('.');
    const properties = fields.map(({ field }) => field);
    return [
      {
        ...{ name, table, keys, properties, module, columns: Object.fromEntries(columns) },
        ...{ path: 'prisma/schema.prisma', text: body, relations: [], isInjecting: false },
      },
    ];
  });
}

function drizzleTables(compiler: TypeScript, { path, text }: SourceText): readonly DatabaseTable[] {
  const source = compiler.createSourceFile(path, text, compiler.ScriptTarget.Latest, true);
  const exported = source.statements
    .filter((one) => compiler.isVariableStatement(one))
    .filter(({ modifiers }) =>
      modifiers?.some(({ kind }) => kind === compiler.SyntaxKind.ExportKeyword),
    );
  return exported.flatMap(({ declarationList }) =>
    declarationList.declarations.flatMap((declared) => {
      const { name, initializer: call } = declared;
      if (call === undefined || !compiler.isCallExpression(call)) return [];
      if (!/^(?:pg|mysql|sqlite)Table$/.test(call.expression.getText())) return [];
      const [table, columns] = call.arguments;
      if (table === undefined || !compiler.isStringLiteralLike(table)) return [];
      const properties = columns === undefined ? [] : propertiesIn(compiler, columns);
      const keys = keysIn(properties);
      if (keys.length === 0) return [];
      return [
        {
          ...{ name: name.getText(), table: table.text, keys, columns: namesIn(properties) },
          ...{ properties: properties.map(([property]) => property), path, text, relations: [] },
          ...{ module: posix.relative('webhooks', path), isInjecting: false },
        },
      ];
    }),
  );
}

type Property = readonly [name: string, value: string];

function propertiesIn(compiler: TypeScript, columns: ts.Expression): readonly Property[] {
  if (!compiler.isObjectLiteralExpression(columns)) return [];
  return columns.properties
    .filter((one) => compiler.isPropertyAssignment(one))
    .map((one) => [one.name.getText(), one.initializer.getText()] as const);
}

function keysIn(properties: readonly Property[]): readonly string[] {
  return properties.filter(([, value]) => value.includes('.primaryKey(')).map(([name]) => name);
}

/** The names in the database: `id: serial('order_id')`. */
function namesIn(properties: readonly Property[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    properties.flatMap(([property, value]) => {
      const [, column] = /^\w+\(\s*['"`]([^'"`]+)/.exec(value) ?? [];
      return column === undefined ? [] : [[property, column]];
    }),
  );
}

/** The file that declares events on a table, by its path below the folder of the sources, and its constant. */
export function tableEventsFile(
  { client }: DatabaseClient,
  { name, table, keys, columns, module }: DatabaseTable,
  owner: string | undefined,
  ending: Ending,
): { readonly path: string; readonly constant: string; readonly text: string } {
  const subject = subjectOf(name);
  const constant = `${name[0]!.toLowerCase()}${name.slice(1)}Events`;
  const isPrisma = client === 'prisma';
  const from = module.replace(/\.ts$/, ending);
  const shown = keys.join(', ');
  const key = keys.length === 1 ? `'${keys[0]}'` : `[${keys.map((one) => `'${one}'`).join(', ')}]`;
  const named = Object.entries(columns).map(([property, column]) => `${property}: '${column}'`);
  const lines = [
    `import { defineTableEvents } from 'nestjs-thorn';`,
    `import ${isPrisma ? 'type ' : ''}{ ${name} } from '${from}';`,
    '',
    `export const ${constant} = defineTableEvents${isPrisma ? `<${name}>('${table}'` : `(${name}`}, {`,
    // A table of Drizzle tells both.
    ...(isPrisma ? [`  key: ${key},`] : []),
    ...(isPrisma && named.length > 0 ? [`  columns: { ${named.join(', ')} },`] : []),
    ...(owner === undefined ? [] : [`  owner: '${owner}',`]),
    '  // What subscribers may see: name it, field by field.',
    `  payload: ({ ${shown} }) => ({ ${shown} }),`,
    '  events: {',
    `    '${subject}.created': { on: 'create' },`,
    `    '${subject}.changed': { on: 'change' },`,
    `    '${subject}.removed': { on: 'delete' },`,
    '  },',
    '});',
    '',
  ];
  return { path: `webhooks/${subject}.events.ts`, constant, text: lines.join('\n') };
}
