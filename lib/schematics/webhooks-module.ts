import type { DatabaseClient, DatabaseSystem } from './database-clients.js';

/** Where a name of the application is imported from, as the file of the module writes it. */
export interface Imported {
  readonly name: string;
  readonly from: string;
}

/** What the file of the module depends on. */
export interface ModuleParts {
  /** Undefined: the application has none. */
  readonly client: DatabaseClient | undefined;
  readonly system: DatabaseSystem;
  /** The provider of the client, and the module that exports it; undefined where they were not found. */
  readonly found: readonly [provider: Imported, module: Imported] | undefined;
  /** The client's own pool cannot be used. */
  readonly needsUrl: boolean;
}

/** The file of the module, with Thorn on the client of the application. Pure. */
export function webhooksModule({ client, system, found, needsUrl }: ModuleParts): string {
  const { source } = client ?? {};
  const named = client === undefined ? 'inline, ThornModule' : 'ThornModule';
  const imports = [
    `import { Module } from '@nestjs/common';`,
    `import { ${named} } from 'nestjs-thorn';`,
    ...(source !== undefined && found !== undefined
      ? [`import { ${source.maker} } from 'nestjs-thorn/sql';`, ...importsOf(found)]
      : []),
  ];
  const lines = [
    ...imports,
    '',
    '@Module({',
    '  imports: [',
    '    ThornModule.forRoot({',
    ...databaseLines(client, { found, options: optionsOf(system, client, needsUrl) }),
    '      // In development, every event goes to this machine: npx thorn listen',
    "      ...(process.env.NODE_ENV === 'production'",
    '        ? {}',
    '        : {',
    "            recipients: 'development',",
    "            subscribers: { '*': 'http://127.0.0.1:4000' },",
    '          }),',
    '    }),',
    '  ],',
    '})',
    'export class WebhooksModule {}',
  ];
  return `${lines.join('\n')}\n`;
}

function importsOf([provider, module]: readonly [Imported, Imported]): readonly string[] {
  if (provider.from !== module.from) {
    return [provider, module].map(({ name, from }) => `import { ${name} } from '${from}';`);
  }
  return [`import { ${provider.name}, ${module.name} } from '${provider.from}';`];
}

function databaseLines(
  client: DatabaseClient | undefined,
  { found, options }: { readonly found: unknown; readonly options: readonly string[] },
): readonly string[] {
  if (client === undefined) {
    return [
      '      // Without a database: events are sent at once, and a restart forgets them.',
      '      dispatch: inline(),',
      '      dataSources: [],',
    ];
  }
  const { source } = client;
  // TypeORM's data source is found by itself.
  if (source === undefined) return [];
  const { maker, provider, module } = source;
  if (found !== undefined) {
    const call =
      options.length === 0
        ? [`      database: ${maker}(${provider}),`]
        : [
            `      database: ${maker}(${provider}, {`,
            ...options.map((option) => `        ${option},`),
            '      }),',
          ];
    return [...call, `      imports: [${module}],`];
  }
  const given = [provider, ...(options.length === 0 ? [] : [`{ ${options.join(', ')} }`])];
  return [
    `      // Name the client that your application provides, and the module that exports it:`,
    `      // database: ${maker}(${given.join(', ')}),`,
    `      // imports: [${module}],`,
  ];
}

function optionsOf(
  system: DatabaseSystem,
  client: DatabaseClient | undefined,
  needsUrl: boolean,
): readonly string[] {
  return [
    ...(needsUrl ? ['url: process.env.DATABASE_URL'] : []),
    // A schema that the tool does not look into keeps Thorn's tables from its drafts.
    ...(system === 'postgres' && client?.tool !== undefined ? [`schema: 'thorn'`] : []),
  ];
}
