import { availableParallelism } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { defineConfig, type UserProjectConfigExport } from 'vitest/config';

/** The previous major's packages: a workspace of its own, so that both are installed side by side. */
const nest11 = fileURLToPath(new URL('test/nest-11/node_modules/@nestjs/', import.meta.url));
/** The previous major of BullMQ is in the same workspace. */
const bullmq5 = fileURLToPath(
  new URL('test/nest-11/node_modules/bullmq/dist/cjs/index.js', import.meta.url),
);
/** The previous major of TypeORM, by an alias of npm's. */
const typeorm03 = fileURLToPath(new URL('node_modules/typeorm-03', import.meta.url));
const report = process.env['THORN_REPORT'];
const long = process.env['THORN_LONG'] === '1';

/** Nest reads constructor parameter types from decorator metadata. */
const oxc = { decorator: { legacy: true, emitDecoratorMetadata: true } };

export default defineConfig({
  oxc,
  test: {
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    // They wait for servers, receivers and other processes more than they compute.
    maxWorkers: Math.max(3, availableParallelism()),
    // Here and not in the projects, so that both share the servers.
    globalSetup: ['test/services/servers.ts'],
    projects: [
      project('nest-12', [
        'lib/**/*.spec.ts',
        'test/**/*.spec.ts',
        'tools/**/*.spec.ts',
        'bench/**/*.spec.ts',
      ]),
      project(
        'nest-11',
        [
          'test/module/**/*.spec.ts',
          'test/api/**/*.spec.ts',
          'test/receiver/**/*.spec.ts',
          'test/guides/receiver-guide.spec.ts',
          'test/outbox/shutdown.spec.ts',
          'test/relay/*-app.spec.ts',
          'test/tooling/nest-major.spec.ts',
          'test/conformance/bullmq-strategy.spec.ts',
          ...(long ? ['test/relay/bullmq-faults.spec.ts'] : []),
        ],
        {
          alias: [
            { find: /^@nestjs\/(.+)$/, replacement: `${nest11}$1` },
            { find: /^bullmq$/, replacement: bullmq5 },
          ],
        },
      ),
      project(
        'typeorm-03',
        [
          'test/capture/typeorm-facts.spec.ts',
          'test/capture/entities.spec.ts',
          'test/capture/transactions.spec.ts',
          'test/module/main-job.spec.ts',
          'test/module/durable.spec.ts',
          'test/module/relations.spec.ts',
          'lib/migrations/*.spec.ts',
        ],
        {
          alias: [
            { find: /^typeorm$/, replacement: `${typeorm03}/index.js` },
            { find: /^typeorm\/(.+)$/, replacement: `${typeorm03}/$1` },
          ],
        },
      ),
    ],
  },
});

function project(
  name: string,
  include: string[],
  resolve: { alias?: { find: RegExp; replacement: string }[] } = {},
): UserProjectConfigExport {
  return {
    oxc,
    resolve,
    test: {
      name,
      include,
      provide: {
        nestMajor: name === 'nest-11' ? 11 : 12,
        bullmq: name === 'nest-11' ? pathToFileURL(bullmq5).href : 'bullmq',
        typeorm: name === 'typeorm-03' ? '0.3' : '1',
      },
      // So that the alias holds in it as well.
      ...(name === 'typeorm-03' && { server: { deps: { inline: [/@nestjs\/typeorm/] } } }),
      setupFiles: ['reflect-metadata'],
      testTimeout: long ? 600_000 : 20_000,
      hookTimeout: 20_000,
    },
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The NestJS major that this project runs on. */
    nestMajor: number;
    /** What processes of their own have to import for the BullMQ that this project runs on. */
    bullmq: string;
    /** The TypeORM that this project runs on. */
    typeorm: '0.3' | '1';
  }
}
