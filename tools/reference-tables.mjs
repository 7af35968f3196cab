import { readFileSync } from 'node:fs';
import ts from 'typescript';

const EXAMPLE = `SELECT id, status, reason, requests FROM thorn_deliveries WHERE message_id = '0192…';`;

const { THORN_TABLES, RECEIVED_MESSAGES } = await describedTables();

/** Tables without a class. Each column is explained here. */
const WITHOUT_CLASS = [
  {
    definition: RECEIVED_MESSAGES,
    text: 'A message that a receiver [handles once](../receiving/once.md), or a key whose messages are handled [in their order](../order.md#receive-in-order). In the database of the receiver. Written by the receiver. Deleted after it has expired.',
    columns: {
      hash: 'A hash of the receiver and the id of the message, or the key.',
      sequence:
        'The latest number of the key that was handled. Of a message 1 when it is handled, else 0.',
      token: 'The token of the attempt that handles a message; empty without one.',
      leased_until: 'The time at which another attempt may begin.',
      kept_until: 'The time from which the row counts no more.',
    },
  },
];

/** What only the library reads: their columns are explained where they are declared. */
const OWN_STATE = new Set([
  'thorn_bulk_operations',
  'thorn_captured_tables',
  'thorn_changes',
  'thorn_health',
  'thorn_idempotency_keys',
  'thorn_leases',
  'thorn_pauses',
  'thorn_pending_messages',
  'thorn_portal_links',
  'thorn_rate_limits',
  'thorn_received_messages',
  'thorn_sequences',
]);

/** @typedef {{ name: string, type: string, isNullable: boolean, text: string }} Column */
/** @typedef {{ table: string, text: string, columns: readonly Column[], indexes: readonly string[] }} TableOfDatabase */
/** @typedef {import('../lib/database/schema/table-definition.js').TableDefinition} TableDefinition */

/**
 * The page of tables, from their description, its TSDoc, and that of their classes.
 *
 * @param {readonly ts.SourceFile[]} files
 * @param {(node: ts.Node) => string} docOf
 */
export function tablesPage(files, docOf) {
  const tables = [
    ...classesOf(files, docOf),
    ...WITHOUT_CLASS.map(({ definition, text, columns }) =>
      withMeanings(definition, text, columns),
    ),
  ];
  const sections = tables.map((one) => {
    if (!/(Written|Deleted) by|Never deleted/.test(one.text) || !one.text.includes('Written by'))
      throw new Error(
        `The TSDoc of ${one.table} does not say who writes it, and when it is deleted`,
      );
    if (OWN_STATE.has(one.table)) {
      const names = one.columns.map(({ name }) => `\`${name}\``).join(', ');
      return `## \`${one.table}\`\n\n${one.text} Columns: ${names}.`;
    }
    const rows = one.columns.map(
      ({ name, type, isNullable, text }) =>
        `| \`${name}\` | \`${type}\`${isNullable ? ' or null' : ''} | ${text} |`,
    );
    const indexes = one.indexes.length === 0 ? '' : `\n\nIndexes: ${one.indexes.join('; ')}.`;
    return `## \`${one.table}\`\n\n${one.text}\n\n| Column | Type | Meaning |\n| --- | --- | --- |\n${rows.join('\n')}${indexes}`;
  });
  return [
    '# Tables',
    'The tables of the library, in the database of the application. See [operations](../operations.md#tables) for migrations and retention.',
    `\`\`\`sql\n${EXAMPLE}\n\`\`\``,
    '<!-- Generated from the description of the tables by `npm run docs:options`. -->',
    'Times are milliseconds since the Unix epoch. A `uuid` is `varchar` on SQLite, a `json` is text there and `longtext` on MariaDB.',
    ...sections,
  ].join('\n\n');
}

/** @returns {Promise<typeof import('../lib/database/schema/thorn-tables.js')>} */
async function describedTables() {
  const source = readFileSync('lib/database/schema/thorn-tables.ts', 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}

/**
 * @param {readonly ts.SourceFile[]} files
 * @param {(node: ts.Node) => string} docOf
 * @returns {readonly TableOfDatabase[]}
 */
function classesOf(files, docOf) {
  const described = files.flatMap(({ fileName, statements }) =>
    fileName.endsWith('/thorn-tables.ts')
      ? statements.flatMap(tablesIn)
      : statements.filter((one) => ts.isClassDeclaration(one)),
  );
  const docs = described.map((one) => ({ one, doc: docOf(one) }));
  return THORN_TABLES.toSorted((one, other) => (one.name < other.name ? -1 : 1)).map((table) => {
    const found = docs.find(({ doc }) => doc.startsWith(`A row of \`${table.name}\`: `));
    if (!found) throw new Error(`Nothing has the TSDoc "A row of \`${table.name}\`: …"`);
    const fields = ts.isClassDeclaration(found.one)
      ? found.one.members.filter((member) => ts.isPropertyDeclaration(member))
      : [];
    const columns = columnsIn(found.one);
    const names = new Map(fields.map(({ name }) => [name.getText(), columnOf(name.getText())]));
    const meanings = Object.fromEntries([
      ...fields.map((field) => [columnOf(field.name.getText()), renamed(docOf(field), names)]),
      ...columns.map((column) => [column.name.getText(), docOf(column)]),
    ]);
    const text = renamed(found.doc, names).replace(/^A row of `\w+`: (\w)/, (_, first) =>
      first.toUpperCase(),
    );
    return withMeanings(table, text, meanings);
  });
}

/**
 * The declarations of tables: variables, and the properties of one that holds several.
 *
 * @param {ts.Statement} statement
 * @returns {readonly ts.Node[]}
 */
function tablesIn(statement) {
  if (!ts.isVariableStatement(statement)) return [];
  const { initializer } = statement.declarationList.declarations[0] ?? {};
  return initializer && ts.isObjectLiteralExpression(initializer)
    ? initializer.properties
    : [statement];
}

/**
 * The columns of the declaration of a table, where they have TSDoc of their own.
 *
 * @param {ts.Node} table
 * @returns {readonly ts.PropertyAssignment[]}
 */
function columnsIn(table) {
  const declared = ts.isVariableStatement(table) ? table.declarationList.declarations[0] : table;
  const initializer =
    declared && (ts.isVariableDeclaration(declared) || ts.isPropertyAssignment(declared))
      ? declared.initializer
      : undefined;
  const [, columns] = initializer && ts.isCallExpression(initializer) ? initializer.arguments : [];
  if (!columns || !ts.isObjectLiteralExpression(columns)) return [];
  return columns.properties
    .filter((property) => ts.isPropertyAssignment(property))
    .filter((property) => ts.getJSDocCommentsAndTags(property).length > 0);
}

/**
 * @param {TableDefinition} table
 * @param {string} text
 * @param {Readonly<Record<string, string>>} meanings
 * @returns {TableOfDatabase}
 */
function withMeanings({ name: table, columns, indexes }, text, meanings) {
  const others = Object.keys(meanings).filter((name) => !(name in columns));
  if (others.length > 0) throw new Error(`${table} has no column ${others.join(', ')}`);
  return {
    table,
    text,
    columns: Object.entries(columns).map(([name, { type, length, nullable = false }]) => {
      const meaning = meanings[name];
      if (!meaning && !OWN_STATE.has(table)) throw new Error(`${table}.${name} has no TSDoc`);
      const limit = length === undefined ? '' : `(${length})`;
      return { name, type: `${type}${limit}`, isNullable: nullable, text: meaning ?? '' };
    }),
    indexes: indexes.map(
      ({ columns: indexed, unique }) =>
        `${indexed.map((name) => `\`${name}\``).join(', ')}${unique ? ', unique' : ''}`,
    ),
  };
}

/**
 * The column of a field.
 *
 * @param {string} field
 */
function columnOf(field) {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * Columns by their names in the database.
 *
 * @param {string} text
 * @param {ReadonlyMap<string, string>} names
 */
function renamed(text, names) {
  return text.replaceAll(/`(\w+)`/g, (code, name) =>
    names.has(name) ? `\`${names.get(name)}\`` : code,
  );
}
