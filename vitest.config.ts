import { availableParallelism } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig, type UserProjectConfigExport } from 'vitest/config';
import type { ProvidedContext } from 'vitest';
import { pageBundle } from './tools/build-page.mjs';
import { workspacePackages } from './tools/workspace-packages.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
/** The previous major's packages: a workspace of its own, so that both are installed side by side. */
const nest11 = fileURLToPath(new URL('test/nest-11/node_modules/@nestjs/', import.meta.url));
/** The previous major of BullMQ is in the same workspace. */
const bullmq5 = fileURLToPath(
  new URL('test/nest-11/node_modules/bullmq/dist/cjs/index.js', import.meta.url),
);
const NEST_11 = [
  { find: /^@nestjs\/(.+)$/, replacement: `${nest11}$1` },
  { find: /^bullmq$/, replacement: bullmq5 },
];
/** The previous major of TypeORM, by an alias of npm's. */
const typeorm03 = fileURLToPath(new URL('node_modules/typeorm-03', import.meta.url));
/** A workspace for each major of Nest, with the lowest version of every peer. */
const lowest = fileURLToPath(new URL('test/lowest/', import.meta.url));
/** The samples import the package by its name. */
const itself = [
  { find: /^nestjs-thorn$/, replacement: fileURLToPath(new URL('lib/index.ts', import.meta.url)) },
  {
    find: /^nestjs-thorn\/typeorm$/,
    replacement: fileURLToPath(new URL('lib/typeorm/index.ts', import.meta.url)),
  },
  {
    find: /^nestjs-thorn\/(.+)$/,
    replacement: fileURLToPath(new URL('lib/$1/index.ts', import.meta.url)),
  },
];
/** Set by `.ci/run`: the file that tools/test-totals.mjs reads. */
const report = process.env['THORN_REPORT'];
const long = process.env['THORN_LONG'] === '1';
/** Files at once: most wait for servers, receivers and other processes more than they compute. */
const WORKERS = Math.max(4, availableParallelism());
/** Of `npm run test:rest`, where several would load the same server at once. */
const WORKERS_OF_REST = Math.max(3, availableParallelism());
/** Milliseconds that a condition may take to come true, unless the test says otherwise; below the limit of a test, so that it says what it has waited for. */
const PATIENCE = 60_000;
/** Set by `npm run test:unit` and `npm run test:quick`; CONTRIBUTING.md says what each is for. */
const suite = process.env['THORN_SUITE'];

/** Outside of `lib`, what needs no server and is soon done. Specs of `lib` need none. */
const UNIT_SPECS = [
  'test/api/{event-types,platform,subscription}.spec.ts',
  'test/conformance/{message-tracing,recipient-policy,retry-policy}.spec.ts',
  'test/conformance/{webhook-http-client,webhook-scheme,webhook-signer}.spec.ts',
  'test/guides/{conditions,delivery,events,receiver,security}-guide.spec.ts',
  'test/guides/{generated-pages,readme,tutorial}.spec.ts',
  'test/module/{log-lines,send-options,testing-kit,wrong-options}.spec.ts',
  'test/receiver/receiver-routes.spec.ts',
  'test/tooling/{nest-major,observability,quiet-logs}.spec.ts',
];
/** What runs on the lowest version of every peer as well: which guards are called, and the main job. */
const LOWEST_SPECS = [
  'test/api/{every-guard,guards-refused}.spec.ts',
  'test/module/{main-job,supported-versions,loaded-versions}.spec.ts',
  'test/receiver/receiver-routes.spec.ts',
];
/** What asserts that those versions are what runs. */
const LOWEST_ONLY = ['test/module/loaded-versions.spec.ts'];
/** Without those that measure the memory of their process, or what its promises cost, or see all of its connections. */
const LIB_SPECS = 'lib/**/!(answer-memory|async-variable|dialled-addresses).spec.ts';
/** What looks at all that a process does, or at what happens once in it. */
const ALONE_IN_MODULE = [
  'test/module/{declarations-without-effect,missing-tables,no-leaks*,startup-report,touched-objects}.spec.ts',
];
/** Files that share processes: most of their time would be spent loading the same packages. Clients with programs of machine code are alone. */
const SHARED_PROCESS = [
  LIB_SPECS,
  'test/capture/!(cls-transactions|typeorm-transactional).spec.ts',
  'test/conformance/*.spec.ts',
  'test/guides/!(client-tutorials|site-in-browser).spec.ts',
  'test/rate-limit/pace-table.spec.ts',
  'test/services/*.spec.ts',
  'test/triggers/*.spec.ts',
  'test/tooling/!(*client*|missing-packages|nest-major|observability|quiet-logs|sample|tracing).spec.ts',
];
/** Those that start whole applications share other processes, but for samples, whose modules are loaded once. */
const SHARED_BY_APPLICATIONS = [
  'test/{api,delivery,mcp,module,outbox,receiver}/**/*.spec.ts',
  'test/page/!(contact-sheet|german|hostile-content|operator-work|refusals|sample|screenshots|verification-code).spec.ts',
  'test/relay/!(bullmq-faults).spec.ts',
];
const ALONE = [...ALONE_IN_MODULE, 'test/outbox/backlog.spec.ts'];

/** What the repository is kept in order with: its tools, its benchmarks, its packages, and the site as browsers show it. */
const REPOSITORY_SPECS = [
  'tools/**/*.spec.ts',
  'bench/**/*.spec.ts',
  'test/guides/{reference,site-in-browser}.spec.ts',
  'test/tooling/{client-types,missing-packages}.spec.ts',
];

/** What kills processes and servers and waits for leases to end, or fills a log or a memory: minutes, in `npm run test:rest`. */
const FAULT_SPECS = [
  'lib/delivery/http/answer-memory.spec.ts',
  'test/outbox/{crash,faults,ordered-faults,outage,shutdown-without-servers,takeover,two-databases}.spec.ts',
  'test/outbox/{log-million,log-scan,report-plans}.spec.ts',
  'test/page/hostile-content.spec.ts',
  'test/rate-limit/processes.spec.ts',
  'test/relay/{bullmq-faults,microservices-faults,strategy-move}.spec.ts',
  'test/api/long-work.spec.ts',
];

/** What needs Redis, RabbitMQ or MariaDB, or minutes. */
const NOT_QUICK = [
  'test/api/strategies.spec.ts',
  'test/conformance/{bullmq-strategy,message-relay,microservices-strategy}.spec.ts',
  'test/conformance/{received-messages,subscriber-repository}.spec.ts',
  'test/module/no-leaks-redis.spec.ts',
  'test/outbox/{crash,faults}.spec.ts',
  'test/programs/killed-programs.spec.ts',
  'test/programs/killed-tables.spec.ts',
  'test/rate-limit/{bullmq,pace-table}.spec.ts',
  'test/relay/!(failing-relay).spec.ts',
  'test/tooling/missing-packages.spec.ts',
  'test/services/{mariadb,redis}.spec.ts',
  'test/tooling/tracing.spec.ts',
];

/** By project; the others have all. */
const DATABASES_ALIKE: Readonly<Record<string, ProvidedContext['databasesAlike']>> = {
  'nest-12': ['sqlite', 'postgres'],
  'nest-12-alone': ['sqlite', 'postgres'],
  'nest-12-shared': ['sqlite', 'postgres'],
  'nest-12-applications': ['sqlite', 'postgres'],
  faults: ['sqlite', 'postgres'],
  mariadb: ['mariadb'],
};

/** What captures rows alike on every server: on MariaDB in a project of its own. */
const ALIKE_SPECS = [
  'test/capture/{changed-fields,changed-keys,cls-transactions,declarations,domain-mappers,hooks,lazy-and-embedded,many-rows}.spec.ts',
  'test/capture/{null-relations,other-side,outside,private-fields,read-back,related-gone,relations-by-criteria,relations,removed-links}.spec.ts',
  'test/capture/{rows,called-by-saves,softly-removed-rows,unique-links,unread-values}.spec.ts',
];
/** The same of deliveries; with those that MySQL's driver runs there as well. */
const ALIKE_OUTBOX_SPECS = [
  'test/outbox/{many-messages,mixed-subscribers,ordered-faults,ordered-model,well-again}.spec.ts',
  'test/outbox/{ordered-bulk,ordered-disabling,ordered-holds}.spec.ts',
  'test/rate-limit/rate-limit.spec.ts',
];

/** What Nest does with the routes of the REST API: guards, bodies, paths, answers, descriptions. What an API keeps and finds is the same on each major. */
const ROUTES_SPECS = [
  'test/api/{application,bad-input,every-guard,guards-refused,idempotency,openapi,openapi-options}.spec.ts',
  'test/api/{operator,owner-that-throws,platform,subscribers,subscription,unsubscribe}.spec.ts',
];

/** Nest reads constructor parameter types from decorator metadata. */
const oxc = { decorator: { legacy: true, emitDecoratorMetadata: true } };

export default defineConfig({
  oxc,
  test: {
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    // The logs of the applications under test: only those of tests that fail.
    silent: 'passed-only',
    // Many tests wait for something by design; only the unusual ones get a line.
    slowTestThreshold: 10_000,
    // Here and not in the projects, so that all of them share the servers.
    globalSetup: suite === 'unit' ? [] : ['test/services/servers.ts'],
    ...(suite === 'quick' && { testNamePattern: /^(?!.*mariadb)/i }),
    projects: projectsOf(suite),
  },
});

function projectsOf(suite: string | undefined): UserProjectConfigExport[] {
  if (suite === 'unit') {
    return [project('lib', [LIB_SPECS], { isolate: false }), project('nest-12', UNIT_SPECS)];
  }
  const all = ['lib', 'test', 'tools', 'bench'].map((folder) => `${folder}/**/*.spec.ts`);
  if (suite === 'quick')
    return [project('nest-12', all, { exclude: [...NOT_QUICK, ...LOWEST_ONLY] })];
  const shared = [...SHARED_PROCESS, ...SHARED_BY_APPLICATIONS];
  const apart = [...REPOSITORY_SPECS, ...FAULT_SPECS];
  return [
    // All of `npm test`. The other projects are `npm run test:rest`.
    project('nest-12', all, { exclude: [...LOWEST_ONLY, ...shared, ...apart] }),
    project('nest-12-alone', ALONE),
    project('nest-12-shared', SHARED_PROCESS, { exclude: apart, isolate: false }),
    project('nest-12-applications', SHARED_BY_APPLICATIONS, {
      exclude: [...LOWEST_ONLY, ...ALONE, ...apart],
      isolate: false,
    }),
    project('mariadb', [...ALIKE_SPECS, ...ALIKE_OUTBOX_SPECS], { isolate: false }),
    project('faults', FAULT_SPECS),
    project('repository', REPOSITORY_SPECS),
    ...([11, 12] as const).map((major) =>
      project(`lowest-${major}`, LOWEST_SPECS, {
        plugins: [workspacePackages(`${lowest}nest-${major}`)],
      }),
    ),
    project(
      'nest-11',
      [
        'test/module/**/*.spec.ts',
        ...ROUTES_SPECS,
        'test/receiver/**/*.spec.ts',
        'test/guides/{api,receiver}-guide.spec.ts',
        'test/guides/getting-started.spec.ts',
        'test/outbox/shutdown.spec.ts',
        'test/relay/*-app.spec.ts',
        'test/tooling/nest-major.spec.ts',
        'test/conformance/bullmq-strategy.spec.ts',
        ...(long ? ['test/relay/bullmq-faults.spec.ts'] : []),
      ],
      {
        isolate: false,
        exclude: [
          ...LOWEST_ONLY,
          ...ALONE_IN_MODULE,
          // nestjs-cls loads the current major, which is installed beside it.
          'test/module/client-transactions.spec.ts',
        ],
        alias: NEST_11,
      },
    ),
    project('nest-11-alone', ALONE_IN_MODULE, { alias: NEST_11 }),
    project(
      'typeorm-03',
      [
        'test/capture/{entities,changed-fields,changed-keys,lazy-and-embedded,transactions,typeorm-facts,overlapping-transactions,sqlite-full,transactions-by-hand}.spec.ts',
        'test/capture/{criteria,criteria-model,documented-writes,domain-mappers,keys-not-read-in-full,other-side,related-keys,removed-links,returned-rows,rows-gone}.spec.ts',
        'test/capture/{filled-keys,hooks,parallel-writes,races,related-gone,unique-links}.spec.ts',
        'test/capture/{criteria-that-differ,null-relations,private-fields,rows-written-meanwhile,called-by-saves,softly-removed-rows,unread-values,updated-rows,upserted-rows}.spec.ts',
        'test/module/{code-by-hand,durable,main-job,own-transactions,relations}.spec.ts',
        'test/receiver/receiver-once.spec.ts',
        'test/conformance/received-messages.spec.ts',
        'test/tooling/thorn-schema.spec.ts',
      ],
      {
        isolate: false,
        alias: [
          { find: /^typeorm$/, replacement: `${typeorm03}/index.js` },
          { find: /^typeorm\/(.+)$/, replacement: `${typeorm03}/$1` },
        ],
      },
    ),
  ];
}

interface ProjectOptions {
  readonly alias?: { find: RegExp; replacement: string }[];
  readonly plugins?: readonly Plugin[];
  readonly exclude?: readonly string[];
  readonly isolate?: boolean;
}

function project(
  name: string,
  include: string[],
  { alias = [], plugins = [], exclude = [], isolate = true }: ProjectOptions = {},
): UserProjectConfigExport {
  const isRest = !name.startsWith('nest-12') && name !== 'lib';
  const isNest11 = name.startsWith('nest-11');
  return {
    oxc,
    plugins: [pageBundle(), ...plugins],
    resolve: { alias: [...alias, ...itself] },
    test: {
      name,
      include,
      exclude: ['**/node_modules/**', ...exclude],
      isolate,
      maxWorkers: isRest ? WORKERS_OF_REST : WORKERS,
      sequence: { groupOrder: isRest ? 1 : 0 },
      provide: {
        packages: name.startsWith('lowest-') ? `${lowest}nest-${name.slice(-2)}/` : '',
        nestMajor: name.includes('-11') ? 11 : 12,
        bullmq: isNest11 ? pathToFileURL(bullmq5).href : 'bullmq',
        typeorm: name === 'typeorm-03' || name === 'lowest-11' ? '0.3' : '1',
        patience: PATIENCE,
        databasesAlike: DATABASES_ALIKE[name] ?? ['sqlite', 'postgres', 'mariadb'],
        everyPair: isNest11,
        nestTypeorm: pathToFileURL(
          isNest11 ? `${nest11}typeorm/` : `${root}node_modules/@nestjs/typeorm/`,
        ).href,
      },
      // So that the alias holds in it as well.
      ...(name === 'typeorm-03' && { server: { deps: { inline: [/@nestjs\/typeorm/] } } }),
      setupFiles: [
        'reflect-metadata',
        'test/support/quiet-logs.ts',
        'test/support/patience.ts',
        ...(isolate ? [] : ['test/support/forget-entities.ts']),
        ...(report ? ['test/support/project-name.ts'] : []),
      ],
      // They find what hangs. How long something takes on a busy machine is asserted nowhere.
      testTimeout: long ? 600_000 : 120_000,
      hookTimeout: 120_000,
      expect: { poll: { timeout: PATIENCE } },
    },
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The workspace whose packages are loaded, with a slash at its end; empty for the root. */
    packages: string;
    /** The NestJS major that this project runs on. */
    nestMajor: 11 | 12;
    /** What processes of their own have to import for the BullMQ that this project runs on. */
    bullmq: string;
    /** The address of the folder of the @nestjs/typeorm that this project runs on, with a slash at its end. */
    nestTypeorm: string;
    /** The TypeORM that this project runs on. */
    typeorm: '0.3' | '1';
    /** Milliseconds that a condition may take to come true. */
    patience: number;
    /** The databases of what does the same on every one. */
    databasesAlike: readonly ('sqlite' | 'postgres' | 'mariadb')[];
    /** Whether what does the same on every platform runs on each, and each database with each platform. */
    everyPair: boolean;
  }
}
