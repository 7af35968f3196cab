import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, posix, resolve } from 'node:path';
import type { Command, ExitCode, Given } from '../commands/command.js';
import { type Terminal, UsageError } from '../commands/terminal.js';
import { ApplicationClasses, isSource, type SourceText } from './application-classes.js';
import { chosen, type Choice } from './choice.js';
import {
  CLIENT_NAMES,
  type DatabaseClient,
  databaseClient,
  packedGuide,
} from './database-client.js';
import { exampleFiles } from './example-files.js';
import {
  applyChanges,
  changedSince,
  differenceOf,
  type FileChange,
  readText,
  reversed,
} from './file-changes.js';
import { type Address, addressOf } from './main-file.js';
import { type DatabaseTable, databaseTables, tableEventsFile } from './database-tables.js';
import { EXAMPLE_EVENT, pageFiles, readsHeader } from './page-files.js';
import {
  addEvents,
  addModule,
  addRawBody,
  endingOf,
  importedNames,
  NotUnderstood,
  type TypeScript,
} from './source-edits.js';
import { addThornTables, type TypeOrmTables, typeOrmTables } from './typeorm-tables.js';

/** The record of the changes, for `--undo`. */
const RECORD = 'node_modules/.cache/nestjs-thorn/init.json';

export const initCommand: Command = {
  name: 'init',
  operands: '[folder]',
  summary: 'Adds webhooks to a NestJS application: the module, an example event and a listener',
  details: [
    'The command shows its changes, and asks before it makes them. It changes src/app.module.ts, adds src/webhooks/, and adds',
    'the entities and migrations of Thorn to options of TypeORM that list them. If it does not understand a file, it prints',
    'the lines for you to write, and changes nothing. Without a folder, it looks for the application in the current folder.',
    'With --entity, --guard or --page it sets up webhooks for your own entity. Without these options it asks for them, or, if',
    'the application has no entity, it adds an example: an event, and a listener for which src/main.ts keeps raw bodies.',
  ].join('\n'),
  options: {
    client: {
      type: 'string',
      value: CLIENT_NAMES.join('|'),
      help: 'the database client. Default: the client in package.json',
    },
    entity: {
      type: 'string',
      value: 'class',
      help: 'declares events on this entity, model of Prisma or table of Drizzle',
    },
    owner: {
      type: 'string',
      value: 'property',
      help: "the entity's property that holds the id of its owner, or - for none",
    },
    guard: { type: 'string', value: 'class', help: 'adds the REST API behind this guard' },
    user: {
      type: 'string',
      value: 'path',
      help: 'the property of the request with the id of the user. Default: user.id',
    },
    page: { type: 'boolean', help: "adds the owners' page. It needs --guard" },
    yes: { type: 'boolean', short: 'y', help: 'makes the changes without asking' },
    undo: { type: 'boolean', help: 'undoes the changes that thorn init made' },
  },
  most: 1,
  async run([given = '.'], options, terminal) {
    const folder = resolve(given);
    const isUndo = options['undo'] === true;
    const plan = isUndo
      ? { changes: await undoing(folder), hint: 'Everything is as it was before.' }
      : await adding(folder, options, terminal);
    for (const change of plan.changes) {
      for (const line of differenceOf(change)) terminal.out(line);
    }
    if (options['yes'] !== true && !(await isAgreed(terminal))) {
      terminal.note('Nothing was changed.');
      return 1;
    }
    return isUndo ? takeBack(folder, plan, terminal) : add(folder, plan, terminal);
  },
};

interface Plan {
  readonly changes: readonly FileChange[];
  readonly hint: string;
}

async function isAgreed(terminal: Terminal): Promise<boolean> {
  return /^y(es)?$/i.test((await terminal.ask('Change these files? [y/N] ')).trim());
}

async function add(folder: string, { changes, hint }: Plan, terminal: Terminal): Promise<ExitCode> {
  const record = { path: RECORD, before: null, after: JSON.stringify(changes) };
  await applyChanges(folder, [record, ...changes]);
  terminal.note(`Done. ${hint}\nnpx thorn init --undo takes it all back.`);
  if ((await majorOf(folder, 'core')) === 11 && (await majorOf(folder, 'typeorm')) === 12) {
    // Both may be together, so npm takes the newest one as a peer.
    terminal.note(
      'Jest cannot load @nestjs/typeorm 12, which npm brought along: npm install @nestjs/typeorm@11',
    );
  }
  return 0;
}

/** The major version of one of Nest's packages; NaN when it is not installed. */
async function majorOf(folder: string, name: string): Promise<number> {
  const text = await readText(join(folder, `node_modules/@nestjs/${name}/package.json`));
  const [, major] = /"version"\s*:\s*"(\d+)/.exec(text ?? '') ?? [];
  return Number(major);
}

async function takeBack(
  folder: string,
  { changes, hint }: Plan,
  terminal: Terminal,
): Promise<ExitCode> {
  const text = await readText(join(folder, RECORD));
  await applyChanges(folder, [...changes, { path: RECORD, before: text, after: null }]);
  terminal.note(hint);
  return 0;
}

async function undoing(folder: string): Promise<readonly FileChange[]> {
  const text = await readText(join(folder, RECORD));
  if (text === null) {
    throw new UsageError(
      'there is nothing to undo here: thorn init has not run, or node_modules is new',
    );
  }
  const changes = reversed(JSON.parse(text) as readonly FileChange[]);
  const others = await changedSince(folder, changes);
  if (others.length === 0) return changes;
  throw new UsageError(`${others.join(', ')} changed since: undo it by hand, or with git`);
}

async function adding(folder: string, given: Given, terminal: Terminal): Promise<Plan> {
  const compiler = compilerOf(folder);
  const source = await sourceRoot(folder);
  const read = async (name: string): Promise<string> => {
    const text = await readText(join(folder, source, name));
    if (text !== null) return text;
    throw new UsageError(
      `there is no ${source}/${name} in ${folder}: run it in the folder of a NestJS application`,
    );
  };
  // By path: the entity may be in the same file as the module.
  const edits = new Map<string, FileChange & { readonly after: string }>();
  const edit = async (name: string, change: (text: string) => string): Promise<void> => {
    const before = edits.get(name)?.before ?? (await read(name));
    const after = edits.get(name)?.after ?? before;
    try {
      edits.set(name, { path: posix.join(source, name), before, after: change(after) });
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      throw new UsageError(`nothing was changed: ${posix.join(source, name)} ${error.message}`);
    }
  };
  const main = await read('main.ts');
  const address = addressOf(compiler, main);
  const names = [await read('app.module.ts'), main].map((text) => importedNames(compiler, text));
  const ending = endingOf(names.flat());
  await edit('app.module.ts', (text) => addModule(compiler, 'app.module.ts', text, ending));
  const classes = await ApplicationClasses.read(compiler, join(folder, source));
  const database = await databaseClient(folder, classes, given, terminal);
  const found = database && (await databaseTables(folder, compiler, database, classes.sources));
  const choice = await chosen(found ? classes.withTables(found) : classes, given, terminal);
  const table = found?.find((one) => one === choice?.entity);
  let files: Readonly<Record<string, string>>;
  let tables: TypeOrmTables | undefined;
  if (choice === undefined) {
    if (address.prefix === null) {
      throw new UsageError(
        `nothing was changed: ${source}/main.ts sets a global prefix that is not written there. ` +
          'Name an entity and a guard instead: --entity, --guard',
      );
    }
    await edit('main.ts', (text) => addRawBody(compiler, 'main.ts', text));
    files = exampleFiles(ending, address, database);
  } else {
    const { entity, owner, guard } = choice;
    if (guard?.path === 'app.module.ts') {
      throw new UsageError(
        `nothing was changed: ${guard.name} is in ${source}/app.module.ts, which will import the module that needs it. ` +
          'Move the guard into a file of its own',
      );
    }
    if (entity !== undefined && database === undefined) {
      await edit(entity.path, (text) =>
        addEvents(compiler, entity.path, text, { ...entity, owner }),
      );
    }
    if (database === undefined) {
      const others = await sourcesBeside(folder, source);
      tables = typeOrmTables(compiler, source, [...classes.sources, ...others]);
      for (const [path, names] of tables?.edits ?? []) {
        await edit(path, (text) => addThornTables(compiler, path, text, names));
      }
    }
    const declared = table && tableEventsFile(database!, table, owner, ending);
    files = pageFiles({ ...choice, database, tables: declared, ending });
  }
  const added = Object.entries(files).map(([name, after]) => ({
    path: `${source}/${name}`,
    before: null,
    after,
  }));
  const existing = await changedSince(folder, added);
  if (existing.length > 0)
    throw new UsageError(`nothing was changed: ${existing[0]} exists already`);
  const changes = [...edits.values(), ...added].filter(({ before, after }) => before !== after);
  const hints = [
    ...tablesHint(database, tables),
    ...(table ? [triggersHint(database!, table)] : []),
    ...(database && choice && !table ? [eventHint(source)] : []),
    hintFor(choice, address),
  ];
  return { changes: await formatted(folder, changes), hint: hints.join('\n') };
}

/** The source files outside of the folder of the sources, such as the data source of the command `typeorm`. */
async function sourcesBeside(folder: string, source: string): Promise<readonly SourceText[]> {
  const names = (await readdir(folder)).filter((name) => isSource(name));
  return Promise.all(
    names.map(async (name) => ({
      path: posix.relative(source, name),
      text: await readFile(join(folder, name), 'utf8'),
    })),
  );
}

function tablesHint(
  database: DatabaseClient | undefined,
  tables: TypeOrmTables | undefined,
): readonly string[] {
  const isMigrated = [...(tables?.edits.values() ?? [])].some((names) => names.has('migrations'));
  if (isMigrated) return ["Run your migrations: one that makes Thorn's tables is among them now."];
  const system = database?.system ?? tables?.byHand;
  if (system === undefined) return [];
  const tool = database === undefined ? '' : ` --for ${database.client}`;
  const schema = database?.system === 'postgres' ? ' --schema thorn' : '';
  const command = `npx thorn migrations ${system}${tool}${schema}`;
  return [
    `Make the tables by a migration: ${command} > thorn.sql\n${packedGuide('migrations')} says how to run it.`,
  ];
}

/** Triggers report the changes of a table. */
function triggersHint(
  { client, system }: DatabaseClient,
  { table, keys, columns }: DatabaseTable,
): string {
  const schema = system === 'postgres' ? ' --schema thorn' : '';
  const key = keys.map((one) => columns[one] ?? one).join('+');
  return (
    `Then make the triggers by another migration, or the application does not start:\n` +
    `npx thorn triggers ${system} ${table}:${key}${schema} --for ${client} --url "$DATABASE_URL" > triggers.sql`
  );
}

/** Used when no table was named. */
function eventHint(source: string): string {
  return (
    `${source}/webhooks/webhooks.module.ts declares the event ${EXAMPLE_EVENT}: name your own there. Send it in the ` +
    `transaction of the change, by WebhookDispatcher:\nawait dispatcher.send('${EXAMPLE_EVENT}', { id }, { tx, owner });`
  );
}

function hintFor(choice: Choice | undefined, { defaultPort, prefix }: Address): string {
  const at = `localhost:${defaultPort}${prefix ?? '/<global prefix>'}`;
  if (choice === undefined) {
    return `Start the application, then: curl -X POST ${at}/greetings\nIts log shows the verified webhook.`;
  }
  const { guard, hasPage } = choice;
  if (guard === undefined)
    return 'Events go to the subscribers in the option `subscribers`, and to those of the REST API: --guard.';
  if (!hasPage) return `Start the application. Users subscribe at http://${at}/hooks`;
  return readsHeader(guard)
    ? 'Start the application. A browser sends no token, so users open the page by a link that this makes:\n' +
        `curl -X POST -H "Authorization: Bearer $TOKEN" ${at}/webhooks-link`
    : `Start the application, sign in, and open http://${at}/webhooks`;
}

/** Formats files as the application's own Prettier does: new files, and files that were formatted before. */
async function formatted(
  folder: string,
  changes: readonly FileChange[],
): Promise<readonly FileChange[]> {
  const prettier = prettierOf(folder);
  if (prettier === undefined) return changes;
  const format = async (path: string, text: string): Promise<string> => {
    const filepath = join(folder, path);
    return prettier.format(text, { ...(await prettier.resolveConfig(filepath)), filepath });
  };
  return Promise.all(
    changes.map(async (change) => {
      const { path, before, after } = change;
      const isFormatted = before === null || (await format(path, before)) === before;
      return after !== null && isFormatted
        ? { ...change, after: await format(path, after) }
        : change;
    }),
  );
}

interface Prettier {
  format(text: string, options: object): Promise<string>;
  resolveConfig(file: string): Promise<object | null>;
}

function prettierOf(folder: string): Prettier | undefined {
  try {
    return createRequire(join(folder, 'package.json'))('prettier') as Prettier;
  } catch {
    return undefined;
  }
}

function compilerOf(folder: string): TypeScript {
  try {
    return createRequire(join(folder, 'package.json'))('typescript') as TypeScript;
  } catch {
    throw new UsageError(`there is no TypeScript in ${folder}: run npm install there first`);
  }
}

/** The folder of the sources, as the Nest CLI knows it. */
async function sourceRoot(folder: string): Promise<string> {
  const text = await readText(join(folder, 'nest-cli.json'));
  const [, root] = /"sourceRoot"\s*:\s*"([^"]+)"/.exec(text ?? '') ?? [];
  return root?.replace(/\/+$/, '') ?? 'src';
}
