import {
  Controller,
  Get,
  type INestApplication,
  type LoggerService,
  type ModuleMetadata,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  defineEvents,
  disabled,
  inline,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
} from '../../lib/index.js';
import { TerminusModule } from '@nestjs/terminus';
import { ThornHealthIndicator } from '../../lib/terminus/index.js';
import { bullmq } from '../../lib/bullmq/index.js';
import { RecordingStrategy } from '../../lib/testing/index.js';
import { bundleProgram, startChild } from '../services/child.js';
import { BearerGuard, platforms, startApi } from '../support/apps/api-app.js';

type Level = 'log' | 'warn';

const api = { unprotected: true, owner: () => 'ann' } as const;
const SQLITE = "sqlite by better-sqlite3, the application's connections, commits told";
const encryption = { keys: [{ id: '1', key: Buffer.alloc(32, 7).toString('base64') }] };
let app: INestApplication | undefined;

afterEach(async () => {
  vi.unstubAllEnvs();
  await app?.close();
  app = undefined;
});

interface Extras extends Pick<ModuleMetadata, 'controllers' | 'imports' | 'providers'> {
  readonly configure?: (app: INestApplication) => void;
}

/** Starts an application. @returns the lines of ours that it has logged until then */
async function linesOf(
  options: ThornModuleOptions & ThornModuleExtras,
  dataSources: readonly string[] = ['default'],
  { controllers = [], imports = [], providers = [], configure = () => {} }: Extras = {},
): Promise<Readonly<Record<Level, readonly string[]>>> {
  const lines = { log: [] as string[], warn: [] as string[] };
  const module = await Test.createTestingModule({
    imports: [
      ...dataSources.map((name) =>
        TypeOrmModule.forRoot({
          ...{ name, type: 'better-sqlite3', database: ':memory:' },
          ...{ autoLoadEntities: true, synchronize: true },
        }),
      ),
      ThornModule.forRoot({ dataSources, ...options }),
      ...imports,
    ],
    controllers: [...controllers],
    providers: [...providers],
  }).compile();
  app = module.createNestApplication({ logger: recorder(lines) });
  configure(app);
  await app.init();
  return lines;
}

function recorder(lines: Record<Level, string[]>): LoggerService {
  const heed = (level: Level) => (line: unknown, context: unknown) => {
    if (context === 'Thorn') lines[level].push(String(line));
  };
  return { log: heed('log'), warn: heed('warn'), error: heed('warn') };
}

describe('an application that starts', () => {
  it('reports its strategy, data sources, events and paths in one line', async () => {
    const events = defineEvents({
      'order.placed': { description: 'An order was placed' },
      'order.paid': { description: 'An order was paid' },
    });
    const { log } = await linesOf({ events, api });

    expect(log).toEqual([
      `Started: strategy outbox() with a worker; TypeORM data source default (${SQLITE}); 2 events; REST API at /hooks`,
    ]);
  });

  it.each<[string, ThornModuleOptions & ThornModuleExtras, readonly string[], string]>([
    [
      'several data sources',
      { dispatch: inline() },
      ['default', 'audit'],
      `strategy inline(); TypeORM data source default (${SQLITE}), TypeORM data source audit (${SQLITE}); 0 events; no REST API`,
    ],
    ['no data source', {}, [], 'strategy inline(); no database; 0 events; no REST API'],
    [
      'webhooks that are off',
      { dispatch: disabled(), events: defineEvents({ a: { description: 'An event' } }) },
      [],
      'strategy disabled(); no database; 1 event; no REST API',
    ],
    ['a strategy of its own', { dispatch: RecordingStrategy }, [], 'strategy RecordingStrategy;'],
    [
      'a queue',
      {
        dispatch: bullmq({
          worker: false,
          connection: { host: '127.0.0.1', port: 1, lazyConnect: true },
        }),
      },
      ['default'],
      'strategy bullmq() without a worker;',
    ],
  ])('reports %s', async (_, options, dataSources, line) => {
    const { log } = await linesOf(options, dataSources);

    expect(log.filter((text) => text.startsWith('Started: '))).toEqual([
      expect.stringContaining(`Started: ${line}`),
    ]);
  });

  it.each(platforms)('reports the paths of both APIs with the prefix on %s', async (platform) => {
    const lines = { log: [] as string[], warn: [] as string[] };
    const { app: started } = await startApi(platform, {
      api: { ...api, path: 'account/hooks' },
      thorn: { operatorApi: { guards: [BearerGuard] } },
      configure: (made) => {
        made.setGlobalPrefix('v1');
        made.useLogger(recorder(lines));
      },
    });
    app = started;

    expect(lines.log).toEqual([
      expect.stringMatching(/; REST API at \/v1\/account\/hooks, \/v1\/hooks-operator$/),
    ]);
  });
});

describe('an application that stores secrets unsealed', () => {
  const warning =
    'Secrets of subscribers are stored unsealed: a copy of the database is enough to sign as this application. Set the ' +
    'option encryption, and seal the stored ones with reseal() of Maintenance.';

  it('warns in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');

    expect((await linesOf({ dispatch: inline() })).warn).toEqual([warning]);
  });

  it.each<[string, string, ThornModuleOptions, readonly string[]]>([
    ['in tests', 'test', {}, ['default']],
    ['in development without the self-check', 'development', { selfCheck: false }, ['default']],
    ['with encryption', 'production', { encryption }, ['default']],
    ['without a database', 'production', {}, []],
  ])('does not warn %s', async (_, environment, options, dataSources) => {
    vi.stubEnv('NODE_ENV', environment);

    expect((await linesOf({ ...options, dispatch: inline() }, dataSources)).warn).toEqual([]);
  });
});

describe('the self-check of an application in development', () => {
  const healthy: Extras = {
    imports: [TerminusModule],
    providers: [ThornHealthIndicator],
    configure: (made) => void made.enableShutdownHooks(['SIGTERM']),
  };
  const warning = (text: string): unknown => expect.stringContaining(`Before production: ${text}`);
  const synchronized = warning('The data source default has synchronize: true');

  beforeEach(() => vi.stubEnv('NODE_ENV', 'development'));

  it('warns once of all that will hurt in production', async () => {
    const { warn } = await linesOf({});

    await expect
      .poll(() => warn)
      .toEqual([
        warning('Secrets of subscribers are stored unsealed'),
        synchronized,
        warning('No health check looks at webhooks'),
        warning('Shutdown hooks are off'),
      ]);
  });

  it('does not warn of hooks that are turned on once the context is there, as workers do', async () => {
    const child = startChild(await bundleProgram('test/support/processes/worker-context.ts'), '', {
      NODE_ENV: 'development',
    });
    await child.printed('checked');
    const warnings = child.lines().filter((line) => line.includes('Before production'));
    expect(warnings).toEqual([synchronized, warning('No health check looks at webhooks')]);
    await child.end('SIGTERM');
  });

  it('warns of what is kept in memory', async () => {
    const { warn } = await linesOf({}, [], healthy);

    expect(warn).toEqual([warning('Subscribers are kept in memory')]);
  });

  it.each([
    ['at its path', Controller('hooks'), Get()],
    ['below its path', Controller(), Get('/hooks/latest')],
  ])('warns of a controller whose routes are %s of the REST API', async (_, ofClass, ofMethod) => {
    @ofClass
    class Webhooks {
      @ofMethod
      list() {}
    }
    @Controller('hooksmiths')
    class Hooksmiths {
      @Get()
      list() {}
    }
    const { warn } = await linesOf({ encryption, api, eventTypes: ['*'] }, ['default'], {
      ...healthy,
      controllers: [Webhooks, Hooksmiths],
    });

    expect(warn).toEqual([
      warning('Webhooks has routes below the path of the REST API'),
      synchronized,
    ]);
  });

  it('warns of nothing else once the rest is mended', async () => {
    expect((await linesOf({ encryption }, ['default'], healthy)).warn).toEqual([synchronized]);
  });
});
