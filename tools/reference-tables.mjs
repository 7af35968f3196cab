import { readFileSync } from 'node:fs';
import ts from 'typescript';

const EXAMPLE = `SELECT id, status, reason, requests FROM thorn_deliveries WHERE message_id = '0192…';`;

/** Tables without an entity: their SQL is in a migration. Each column is explained here. */
const WITHOUT_ENTITY = [
  {
    table: 'thorn_changes',
    file: 'lib/migrations/create-thorn-change-feed.ts',
    text: 'A change that a trigger reports, for the [change feed](../events/change-feed.md), on PostgreSQL alone. Written by the trigger function `thorn_touch()`. Deleted when a worker has made its messages.',
    columns: {
      id: 'The place among all changes.',
      tx: 'Number of the transaction.',
      entity: "Name of the entity's class.",
      key: 'The columns of the primary key, and their values.',
      old_row: 'The row before; null for a new one.',
      new_row: 'The row after; null for one that was removed.',
    },
  },
  {
    table: 'thorn_received_messages',
    file: 'lib/receiver/deduplication/create-received-messages.ts',
    text: 'A message that a receiver [handles once](../receiving/once.md). In the database of the receiver. Written by the receiver. Deleted after it has expired.',
    columns: {
      hash: 'A hash of the receiver and the id of the message.',
      token: 'The token of the process that handles it; empty once it is handled.',
      expires_at: 'The time from which the row counts no more.',
    },
  },
  {
    table: 'thorn_processed_sequences',
    file: 'lib/receiver/order/create-processed-sequences.ts',
    text: 'A key whose messages a receiver handles [in their order](../order.md#receive-in-order). In the database of the receiver. Written by the receiver. Deleted after it has expired.',
    columns: {
      hash: 'A hash of the receiver and the key.',
      sequence: 'The latest number that was handled.',
      token: 'The token of the process that handles the next one; empty without one.',
      leased_until: 'The end of that.',
      kept_until: 'The time from which the row counts no more.',
    },
  },
];

/** @typedef {{ name: string, type: string, isNullable: boolean, text: string }} Column */
/** @typedef {{ table: string, text: string, columns: readonly Column[], indexes: readonly string[] }} TableOfDatabase */

/**
 * The page of tables, from the entities and the SQL of migrations.
 *
 * @param {readonly ts.SourceFile[]} files
 * @param {(node: ts.Node) => string} docOf
 */
export function tablesPage(files, docOf) {
  const tables = [...entitiesOf(files, docOf), ...WITHOUT_ENTITY.map(fromSql)];
  const sections = tables.map((one) => {
    if (!/(Written|Deleted) by|Never deleted/.test(one.text) || !one.text.includes('Written by'))
      throw new Error(
        `The TSDoc of ${one.table} does not say who writes it, and when it is deleted`,
      );
    const rows = one.columns.map(
      ({ name, type, isNullable, text }) =>
        `| \`${name}\` | \`${type}\`${isNullable ? ' or null' : ''} | ${text} |`,
    );
    const indexes = one.indexes.length === 0 ? '' : `\n\nIndexes: ${one.indexes.join('; ')}.`;
    return `## \`${one.table}\`\n\n${one.text}\n\n| Column | Type | Meaning |\n| --- | --- | --- |\n${rows.join('\n')}${indexes}`;
  });
  return [
    '# Tables',
    'What is in the database of the application, in each of the captured data sources (`dataSources`) unless a table says otherwise. See [operations](../operations.md#tables) for migrations and retention.',
    `\`\`\`sql\n${EXAMPLE}\n\`\`\``,
    'Generated from the entities by `npm run docs:options`. `bigint` columns of times hold milliseconds since the Unix epoch. Types are those of TypeORM: a `uuid` is `varchar(36)` on SQLite, a `json` is text there and `longtext` on MariaDB.',
    ...sections,
  ].join('\n\n');
}

/**
 * @param {readonly ts.SourceFile[]} files
 * @param {(node: ts.Node) => string} docOf
 * @returns {readonly TableOfDatabase[]}
 */
function entitiesOf(files, docOf) {
  const found = files.flatMap((file) =>
    file.statements
      .filter((one) => ts.isClassDeclaration(one))
      .flatMap((one) => {
        const [entity] = callsOf(one, 'Entity');
        const table = entity && literal(entity.arguments[0]);
        if (!table) return [];
        const properties = one.members.filter((member) => ts.isPropertyDeclaration(member));
        const names = new Map(
          properties.map((member) => [member.name.getText(), columnName(member)]),
        );
        const columns = properties.map((member) => {
          const text = docOf(member);
          if (text === '') throw new Error(`${table}.${columnName(member)} has no TSDoc`);
          const fields = optionsOf(columnOf(member));
          const length = fields.get('length');
          return {
            name: columnName(member),
            type: `${fields.get('type')}${length === undefined ? '' : `(${length})`}`,
            isNullable: fields.get('nullable') === 'true',
            text: renamed(text, names),
          };
        });
        const ofColumns = properties.flatMap((member) =>
          callsOf(member, 'Index').map(
            ({ arguments: [options] }) =>
              `\`${names.get(member.name.getText())}\`${unique(options)}`,
          ),
        );
        const indexes = callsOf(one, 'Index').map(({ arguments: [list, options] }) => {
          const text = [...(list?.getText().matchAll(/'(\w+)'/g) ?? [])]
            .map(([, name = '']) => `\`${names.get(name)}\``)
            .join(', ');
          return `${text}${unique(options)}`;
        });
        const text = renamed(docOf(one), names).replace(/^A row of `\w+`: (\w)/, (_, first) =>
          first.toUpperCase(),
        );
        return [{ table, text, columns, indexes: [...indexes, ...ofColumns] }];
      }),
  );
  return found.toSorted((one, other) => (one.table < other.table ? -1 : 1));
}

/** @param {ts.Expression | undefined} options */
function unique(options) {
  return options?.getText().includes('unique: true') ? ', unique' : '';
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

/** @param {ts.PropertyDeclaration} member */
function columnOf(member) {
  return /** @type {ts.CallExpression} */ (
    [...callsOf(member, 'Column'), ...callsOf(member, 'PrimaryColumn')][0]
  );
}

/** @param {ts.PropertyDeclaration} member */
function columnName(member) {
  return optionsOf(columnOf(member)).get('name') ?? member.name.getText();
}

/** @param {ts.HasDecorators} node @param {string} name */
function callsOf(node, name) {
  return (ts.getDecorators(node) ?? [])
    .map(({ expression }) => expression)
    .filter((one) => ts.isCallExpression(one))
    .filter((one) => one.expression.getText() === name);
}

/** @param {ts.CallExpression} call */
function optionsOf({ arguments: [options] }) {
  if (!options || !ts.isObjectLiteralExpression(options)) return new Map();
  const fields = options.properties.filter((one) => ts.isPropertyAssignment(one));
  return new Map(fields.map(({ name, initializer }) => [name.getText(), literal(initializer)]));
}

/** @param {ts.Expression | undefined} node */
function literal(node) {
  return node && ts.isStringLiteral(node) ? node.text : node?.getText();
}

/**
 * @param {(typeof WITHOUT_ENTITY)[number]} known
 * @returns {TableOfDatabase}
 */
function fromSql({ table, file, text, columns }) {
  const source = readFileSync(file, 'utf8').replaceAll(/' \+\s*'|` \+\s*'/g, '');
  const [, definition = ''] = /CREATE TABLE \$\{table\} \((.*?)\)['`],?\n/.exec(source) ?? [];
  const inSql = [...definition.matchAll(/(\w+) ((?:char|varchar)\(\d+\)|\w+)([^,]*)/g)];
  /** @type {Readonly<Record<string, string>>} */
  const meanings = columns;
  const names = inSql.map(([, name]) => name).join(' ');
  if (names !== Object.keys(meanings).join(' '))
    throw new Error(
      `${table} has the columns ${names}: explain these in tools/reference-tables.mjs`,
    );
  return {
    table,
    text,
    indexes: [],
    columns: inSql.map(([, name = '', type = '', rest = '']) => ({
      name,
      type,
      isNullable: !/NOT NULL|PRIMARY KEY/.test(rest),
      text: meanings[name] ?? '',
    })),
  };
}
