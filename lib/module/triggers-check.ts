import { Injectable } from '@nestjs/common';
import { errorText } from '../common/log.js';
import { isForbidden } from '../database/database-errors.js';
import { type ReportedSource, ReportedSources } from '../capture/index.js';
import {
  changingSchema,
  createMissingTables,
  findDatabase,
} from '../database/schema/missing-tables.js';
import type { SchemaPlace } from '../database/schema/schema-sql.js';
import { CHANGES } from '../database/schema/thorn-tables.js';
import type { SqlClient, SqlExecutor } from '../database/sql-client.js';
import type { ReportedTable } from '../database/triggers/reported-table.js';
import { readTableShape } from '../database/triggers/table-shape.js';
import {
  createMissingTriggers,
  findTriggerFaults,
  type NamePath,
  type TriggerFault,
} from '../database/triggers/table-triggers.js';
import { TypeOrmClient } from '../database/typeorm-client.js';
import { ThornConfigurationError } from '../errors/index.js';
import { onConnectionOf } from '../sql/one-connection.js';
import { MODULE_CHECKS, ThornSettings } from './options/settings.js';

/** The tool with which migrations are usually made, by the name of a client. */
const MIGRATION_TOOLS: Readonly<Record<string, string>> = {
  TypeORM: 'typeorm',
  Prisma: 'prisma',
  Drizzle: 'drizzle',
};

/** Compares the triggers of tables with the declared events. With the option `makeTriggers`, makes those triggers. */
@Injectable()
export class TriggersCheck {
  constructor(
    private readonly reported: ReportedSources,
    private readonly settings: ThornSettings,
  ) {}

  /** Makes the table `thorn_changes` where it is missing, with the option `makeTriggers`: no entity of TypeORM does. */
  async prepare(): Promise<void> {
    if (this.settings.options.makeTriggers !== true) return;
    for (const source of this.reported.all) {
      const { client } = source;
      await onConnectionOf(client, (executor) =>
        withRights(source, executor, () =>
          createMissingTables(executor, schemaOf(client), [CHANGES]),
        ),
      );
    }
  }

  /**
   * Gives the declarations the columns of their tables. With the option `makeTriggers`, makes the triggers.
   *
   * @throws {@link ThornConfigurationError} for a table that cannot have its events, and for triggers that are missing or
   * outdated
   */
  async run(): Promise<void> {
    for (const source of this.reported.all) {
      await onConnectionOf(source.client, (executor) => this.#check(source, executor));
    }
  }

  /** Compares again, in an application that runs. @returns for each table at fault the error that would end a start */
  async faults(): Promise<readonly Error[]> {
    const found: Error[] = [];
    for (const { client, tables } of this.reported.all) {
      await onConnectionOf(client, async (executor) => {
        for (const table of tables.tables) {
          const fault = await faultOf(client, executor, table).catch((error: unknown) => {
            if (error instanceof ThornConfigurationError) return error;
            throw error;
          });
          if (fault !== undefined) found.push(fault);
        }
      });
    }
    return found;
  }

  async #check(source: ReportedSource, executor: SqlExecutor): Promise<void> {
    const { client, tables: reported } = source;
    const { tables } = reported;
    const names = new Map<string, string>();
    for (const { name } of tables) {
      const shape = await readTableShape(executor, name);
      // Without one the triggers are refused, with a text for that.
      if (shape === undefined) continue;
      assertOnlyName(name, names.get(shape.path));
      names.set(shape.path, name);
      reported.describe(name, shape.columns);
    }
    if (this.settings.options.makeTriggers === true) {
      const path = pathOf(client);
      return withRights(source, executor, () =>
        changingSchema(executor, () => createMissingTriggers(executor, path, tables)),
      );
    }
    for (const table of tables) {
      const fault = await faultOf(client, executor, table);
      if (fault !== undefined) throw fault;
    }
  }
}

/** Refuses two declarations of one table under two names: the triggers of one would replace the triggers of the other. */
function assertOnlyName(name: string, other: string | undefined): void {
  if (other === undefined) return;
  throw new ThornConfigurationError(
    'THORN_DECLARATION_INVALID',
    `Events of ${name}: events of ${other} are declared as well, and both names are of one table. Put the events of both into one declaration.`,
    { table: name, other },
  );
}

function pathOf(client: SqlClient<never>): NamePath {
  return (name) => client.table(name);
}

/** @throws {@link ThornConfigurationError} for a table that cannot have its events */
async function faultOf(
  client: SqlClient<never>,
  executor: SqlExecutor,
  table: ReportedTable,
): Promise<Error | undefined> {
  const faults = await findTriggerFaults(executor, pathOf(client), table);
  return faults.length === 0 ? undefined : outdated(client, executor, table, faults);
}

function schemaOf(client: SqlClient<never>): SchemaPlace {
  if (!(client instanceof TypeOrmClient)) return { schema: client.schema };
  const { driver, options } = client.dataSource;
  return { schema: driver.schema, prefix: options.entityPrefix };
}

async function outdated(
  client: SqlClient<never>,
  executor: SqlExecutor,
  table: ReportedTable,
  faults: readonly TriggerFault[],
): Promise<Error> {
  const { name } = table;
  const names = (kind: TriggerFault['kind']) =>
    faults.filter((fault) => fault.kind === kind).map(({ trigger }) => trigger);
  const [missing, disabled, differing] = [names('missing'), names('disabled'), names('outdated')];
  const what = [
    missing.length > 0 && `lacks ${missing.join(', ')}, or hides them from this user`,
    disabled.length > 0 && `has ${disabled.join(', ')} disabled`,
    differing.length > 0 &&
      `has ${differing.join(', ')} of other columns, another key or another version`,
  ].filter(Boolean);
  if (disabled.length === faults.length) {
    return new ThornConfigurationError(
      'THORN_TABLES_OUTDATED',
      `The table ${name} ${what.join('')}: changes of its rows would send no events. Run ALTER TABLE … ENABLE TRIGGER for each of them.`,
      { table: name, disabled },
    );
  }
  const command = await commandFor(client, executor, [table]);
  return new ThornConfigurationError(
    'THORN_TABLES_OUTDATED',
    `The table ${name} ${what.join(', and ')}: changes of its rows would send no events. Run the SQL that \`${command}\` ` +
      'prints, call createTableTriggers() in a migration, or set makeTriggers: true in development and tests.',
    { table: name, missing, disabled, differing },
  );
}

/** The command that prints the triggers of tables. */
async function commandFor(
  client: SqlClient<never>,
  executor: SqlExecutor,
  tables: readonly ReportedTable[],
): Promise<string> {
  const { schema, prefix } = schemaOf(client);
  const tool = MIGRATION_TOOLS[client.name];
  const operands = tables.map(({ name, key }) => word(`${name}:${key.join('+')}`));
  const omitted = tables.flatMap(({ name, omit }) => omit.map((column) => `${name}.${column}`));
  return [
    `npx thorn triggers ${await findDatabase(executor)} ${operands.join(' ')}`,
    ...(omitted.length > 0 ? [`--omit ${word(omitted.join(','))}`] : []),
    ...(schema === undefined ? [] : [`--schema ${word(schema)}`]),
    ...(prefix === undefined || prefix === '' ? [] : [`--prefix ${word(prefix)}`]),
    ...(tool === undefined ? [] : [`--for ${tool}`]),
    '--url …',
  ].join(' ');
}

/** @throws {@link ThornConfigurationError} where the role of the application may not make tables and triggers */
async function withRights(
  { client, tables: { tables } }: ReportedSource,
  executor: SqlExecutor,
  make: () => Promise<void>,
): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const command = await commandFor(client, executor, tables);
    throw MODULE_CHECKS.error(
      'makeTriggers',
      `cannot make the table thorn_changes and the triggers, since the application's role in the database lacks the rights (${errorText(error)}). ` +
        `Leave makeTriggers out, and run the SQL of \`npx thorn migrations ${await findDatabase(executor)}\` and of \`${command}\` ` +
        'with the role that runs your migrations',
      error,
    );
  }
}

/** A word of a command line, in quotes where a shell would read it otherwise. */
function word(text: string): string {
  return /^[\w.,:+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
