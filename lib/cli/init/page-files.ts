import { posix } from 'node:path';
import type { ApplicationClass } from './application-classes.js';
import type { DatabaseClient } from './database-client.js';
import type { tableEventsFile } from './database-tables.js';
import type { Ending } from './source-edits.js';

/** What an application's own webhooks are set up with. */
export interface Setup {
  /** Undefined: there is no API, and events reach static subscribers alone. */
  readonly guard: ApplicationClass | undefined;
  /** The module that exports what the guard injects. */
  readonly guardModule: ApplicationClass | undefined;
  /** Where the guard leaves the caller's id on the request: `user.id`. */
  readonly caller: string;
  readonly hasPage: boolean;
  /** Undefined: TypeORM's data source. */
  readonly database: DatabaseClient | undefined;
  /** The file that declares events on a table. Undefined: there is none. */
  readonly tables: ReturnType<typeof tableEventsFile> | undefined;
  readonly ending: Ending;
}

/** What an application with another client than TypeORM begins with: its users find an event on the page. */
export const EXAMPLE_EVENT = 'example.created';

const EVENTS = [
  '      // An example: name what can happen in your application.',
  '      events: defineEvents({',
  `        '${EXAMPLE_EVENT}': { description: 'An example was created' },`,
  '      }),',
];

/** A guard that reads a header keeps browsers from opening a page: links let them in. */
export function readsHeader({ text }: ApplicationClass): boolean {
  return /authorization|bearer|AuthGuard\(\s*['"]jwt/i.test(text);
}

/** The module, and the route of links where the page needs one, by their paths below the folder of the sources. */
export function pageFiles(setup: Setup): Readonly<Record<string, string>> {
  const link = linkController(setup);
  return {
    'webhooks/webhooks.module.ts': webhooksModule(setup, link !== undefined),
    ...(link !== undefined && { 'webhooks/webhooks-link.controller.ts': link }),
    ...(setup.tables && { [setup.tables.path]: setup.tables.text }),
  };
}

function webhooksModule(setup: Setup, hasLink: boolean): string {
  const { guard, guardModule, caller, hasPage, database, ending, tables } = setup;
  const hasExample = database !== undefined && tables === undefined;
  const imports = [
    `import { Module } from '@nestjs/common';`,
    `import { ${hasExample ? 'defineEvents, ' : ''}ThornModule } from 'nestjs-thorn';`,
    ...(hasPage ? [`import { thornPage } from 'nestjs-thorn/page';`] : []),
    ...databaseImports(database, ending),
    ...[guard, guardModule].flatMap((one) => (one === undefined ? [] : importOf(one, ending))),
    ...(tables === undefined ? [] : [importOf({ ...tables, name: tables.constant }, ending)]),
    ...(hasLink
      ? [`import { WebhooksLinkController } from './webhooks-link.controller${ending}';`]
      : []),
  ];
  const api =
    guard === undefined
      ? []
      : [
          `      api: {`,
          `        guards: [${guard.name}],`,
          ...(guardModule === undefined ? [] : [`        imports: [${guardModule.name}],`]),
          `        owner: (request: ${typeAt(caller)}) => request.${caller},`,
          `      },`,
        ];
  const ofGuard = hasLink && guardModule !== undefined ? [`    ${guardModule.name},`] : [];
  return [
    ...imports,
    '',
    '@Module({',
    '  imports: [',
    ...ofGuard,
    '    ThornModule.forRoot({',
    ...databaseLines(database),
    ...(hasExample ? EVENTS : []),
    ...(tables === undefined ? [] : [`      tables: [${tables.constant}],`]),
    ...api,
    ...(hasPage ? ['      page: thornPage(),'] : []),
    '      // In development, webhooks may go to this machine.',
    "      recipients: process.env.NODE_ENV === 'production' ? {} : 'development',",
    '    }),',
    '  ],',
    ...(hasLink ? ['  controllers: [WebhooksLinkController],'] : []),
    '})',
    'export class WebhooksModule {}',
    '',
  ].join('\n');
}

function linkController({ guard, caller, hasPage, ending }: Setup): string | undefined {
  if (!hasPage || guard === undefined || !readsHeader(guard)) return undefined;
  return `import { Controller, Post, Req, UseGuards } from '@nestjs/common';
import { Portal } from 'nestjs-thorn/page';
${importOf(guard, ending)}

/** Links to the page: a browser that opens it sends no token for the guard. */
@Controller('webhooks-link')
export class WebhooksLinkController {
  constructor(private readonly portal: Portal) {}

  @Post()
  @UseGuards(${guard.name})
  async create(@Req() request: ${typeAt(caller)}): Promise<{ url: string }> {
    const { url } = await this.portal.link({
      owner: String(request.${caller}),
      capabilities: ['read', 'write', 'secrets', 'test', 'retry'],
    });
    return { url };
  }
}
`;
}

/** What the option `database` names. */
export function databaseImports(
  database: DatabaseClient | undefined,
  ending: Ending,
): readonly string[] {
  if (database === undefined) return [];
  const { maker, imports } = database;
  return [
    `import { ${maker} } from 'nestjs-thorn/sql';`,
    ...imports.map((one) => importOf(one, ending)),
  ];
}

export function databaseLines(database: DatabaseClient | undefined): readonly string[] {
  if (database === undefined) return [];
  const { expression, module } = database;
  return [
    `      database: ${expression},`,
    ...(module === undefined ? [] : [`      imports: [${module}],`]),
  ];
}

export function importOf(
  { name, path }: Pick<ApplicationClass, 'name' | 'path'>,
  ending: Ending,
): string {
  const from = posix.relative('webhooks', path).replace(/\.ts$/, ending);
  return `import { ${name} } from '${from.startsWith('.') ? from : `./${from}`}';`;
}

/** `user.id` as `{ user: { id: string } }`. */
function typeAt(path: string): string {
  return path.split('.').reduceRight((type, name) => `{ ${name}: ${type} }`, 'string');
}
