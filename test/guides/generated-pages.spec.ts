import { type CanActivate } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { format, resolveConfig } from 'prettier';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { INestApplication } from '@nestjs/common';
import { COMMANDS } from '../../lib/cli/main.js';
import { commandHelp, generalHelp } from '../../lib/cli/commands/command.js';
import { describeThornApi, generateSigningKeyPair, ThornModule } from '../../lib/index.js';
import { ThornMetricsModule } from '../../lib/metrics/index.js';
import { bodiesPage, routesPage } from './rest-reference.js';

/** The operator API has to have a guard. */
class Anybody implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

const registry = new Registry();
let app: INestApplication;
beforeAll(async () => {
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        type: 'better-sqlite3',
        database: ':memory:',
        synchronize: true,
        autoLoadEntities: true,
      }),
      ThornModule.forRoot({
        api: { unprotected: true, receivers: true, owner: () => 'ada' },
        operatorApi: { guards: [Anybody], bodies: true },
        signing: { hookHmac: true, ed25519: generateSigningKeyPair().privateKey },
        unsubscribe: {
          url: 'https://api.example.com/hooks',
          secret: 'a secret of the application that has 32 characters at least',
        },
      }),
      ThornMetricsModule.forRoot({ registry }),
    ],
  }).compile();
  app = module.createNestApplication({ logger: false });
  await app.init();
});
afterAll(() => app.close());

async function formatted(text: string): Promise<string> {
  const style = { ...(await resolveConfig('package.json')), parser: 'markdown' };
  return format(text, style);
}

/** The page, which `npm run docs:options` writes. */
function pageOf(name: string): string {
  return `../../docs/reference/${name}.md`;
}

function documentOf() {
  const config = new DocumentBuilder().setOpenAPIVersion('3.1.0').build();
  return describeThornApi(app, SwaggerModule.createDocument(app, config));
}

it('shows every route for owners and receivers', async () => {
  const page = routesPage(documentOf(), {
    title: 'Routes of the REST API',
    about:
      'The routes of the option `api`, for owners and receivers. See [the REST API](../rest.md) for how to use them, and the [routes for operators](rest-operators.md).',
    example: `curl -H "Authorization: Bearer $TOKEN" 'http://localhost:3000/hooks?limit=50'`,
    tag: 'Webhooks',
  });
  await expect(await formatted(page)).toMatchFileSnapshot(pageOf('rest'));
});

it('shows every route for operators', async () => {
  const page = routesPage(documentOf(), {
    title: 'Routes for operators',
    about:
      'The routes of the option `operatorApi`, across owners. See [for operators](../rest/operators.md) for how to use them.',
    example: `curl -H "Authorization: Bearer $TOKEN" http://localhost:3000/hooks-operator/overview`,
    tag: 'Webhook operators',
  });
  await expect(await formatted(page)).toMatchFileSnapshot(pageOf('rest-operators'));
});

it('shows the bodies of requests and answers', async () => {
  const owners = bodiesPage(documentOf(), {
    title: 'Bodies of the REST API',
    about: 'What the [routes of the REST API](rest.md) take and answer.',
    example: JSON.stringify({ url: 'https://example.com/h', events: ['article.*'] }, null, 2),
    tag: 'Webhooks',
  });
  await expect(await formatted(owners)).toMatchFileSnapshot(pageOf('rest-bodies'));
  const operators = bodiesPage(documentOf(), {
    title: 'Bodies for operators',
    about:
      'What the [routes for operators](rest-operators.md) take and answer, besides the [bodies of the REST API](rest-bodies.md).',
    example: JSON.stringify({ host: 'hooks.example.com' }, null, 2),
    tag: 'Webhook operators',
  });
  await expect(await formatted(operators)).toMatchFileSnapshot(pageOf('rest-operator-bodies'));
});

it('shows every metric', async () => {
  const metrics = registry.getMetricsAsArray() as unknown as readonly {
    readonly name: string;
    readonly type?: string;
    readonly help: string;
    readonly labelNames: readonly string[];
  }[];
  const types = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, type]));
  const rows = metrics.map(({ name, help, labelNames }) => {
    const labels = labelNames.map((one) => `\`${one}\``).join(', ');
    return `| \`${name}\` | ${String(types.get(name)).toLowerCase()} | ${labels} | ${help} |`;
  });
  const page = [
    '# Metrics',
    'The metrics of `ThornMetricsModule`, for Prometheus. See [observability](../observability.md#prometheus) for how to show and read them, and its [options](receiver.md#thornmetricsmodule).',
    '```ts\nThornMetricsModule.forRoot({ statsFor: 5_000 });\n```',
    '<!-- Generated from a running application by `npm run docs:options`. -->',
    ['| Metric | Type | Labels | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n');
  await expect(await formatted(page)).toMatchFileSnapshot(pageOf('metrics'));
});

it('shows every command', async () => {
  const sections = COMMANDS.map(
    (command) => `## ${command.name}\n\n\`\`\`text\n${commandHelp(command)}\n\`\`\``,
  );
  const page = [
    '# Command line',
    'What `thorn --help` and the help of each command say. See [the command](../cli.md) for how to use them.',
    '```sh\nnpx thorn --help\n```',
    '<!-- Generated from the commands by `npm run docs:options`. -->',
    `\`\`\`text\n${generalHelp(COMMANDS)}\n\`\`\``,
    ...sections,
  ].join('\n\n');
  await expect(await formatted(page)).toMatchFileSnapshot(pageOf('cli'));
});
