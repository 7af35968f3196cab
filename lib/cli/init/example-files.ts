import type { Address } from './main-file.js';
import type { DatabaseClient } from './database-client.js';
import { databaseImports, databaseLines, importOf } from './page-files.js';
import type { Ending } from './source-edits.js';

/** Files of the example that `thorn init` adds, by their paths below the folder of the application's sources. */
export function exampleFiles(
  ending: Ending,
  { port, prefix }: Address,
  database: DatabaseClient | undefined,
): Readonly<Record<string, string>> {
  return {
    'webhooks/webhooks.module.ts': MODULE.replaceAll('EXT', ending)
      .replace('${PORT}', port.includes('process') ? `\${${port}}` : port)
      .replace('PREFIX', prefix ?? '')
      .replace('EVENTS', database === undefined ? '' : 'defineEvents, ')
      .replace('DATABASE', database === undefined ? IN_MEMORY : inDatabase(database))
      .replace('CLIENT', database?.module === undefined ? '' : `    ${database.module},\n`)
      .replace('IMPORTS', ['', ...databaseImports(database, ending)].join('\n')),
    'webhooks/greetings.controller.ts':
      database === undefined ? EVENT : eventInTransaction(database, ending),
    'webhooks/webhooks.controller.ts': LISTENER,
  };
}

const IN_MEMORY = `      // In memory, so that the example runs anywhere. Remove this line to
      // store events in your TypeORM database.
      dataSources: [],`;

function inDatabase(database: DatabaseClient): string {
  return [
    ...databaseLines(database),
    `      events: defineEvents({`,
    `        'greeting.sent': { description: 'Somebody was greeted' },`,
    `      }),`,
  ].join('\n');
}

const MODULE = `import { randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { EVENTSThornModule } from 'nestjs-thorn';
import { ThornReceiverModule } from 'nestjs-thorn/receiver';IMPORTS
import { GreetingsController } from './greetings.controllerEXT';
import { WebhooksController } from './webhooks.controllerEXT';

// For the example alone: made anew at each start, so nothing has to keep it.
const secret = \`whsec_\${randomBytes(24).toString('base64')}\`;
const isProduction = process.env.NODE_ENV === 'production';
const listener = \`http://127.0.0.1:\${PORT}PREFIX/webhooks\`;

@Module({
  imports: [
CLIENT    ThornModule.forRoot({
DATABASE
      // In development, webhooks may go to this machine.
      ...(isProduction
        ? {}
        : {
            recipients: 'development',
            subscribers: { 'greeting.*': { url: listener, secret } },
          }),
    }),
    ThornReceiverModule.forRoot({
      receivers: { example: { scheme: 'standard', secrets: [secret] } },
    }),
  ],
  controllers: [GreetingsController, WebhooksController],
})
export class WebhooksModule {}
`;

const EVENT = `import { Controller, Post } from '@nestjs/common';
import { WebhookEvent } from 'nestjs-thorn';

interface Greeting {
  text: string;
}

@Controller('greetings')
export class GreetingsController {
  /** An example event, sent to all subscribers when the method has resolved. */
  @Post()
  @WebhookEvent('greeting.sent', { data: ({ text }: Greeting) => ({ text }) })
  greet(): Promise<Greeting> {
    return Promise.resolve({ text: 'Hello' });
  }
}
`;

/** The same by the client of the application, in a transaction. */
function eventInTransaction(database: DatabaseClient, ending: Ending): string {
  const { client, provided, driver } = database;
  const isPrisma = client === 'prisma';
  // Its transactions end before a promise resolves.
  const isSync = driver === 'better-sqlite3';
  const begin = isPrisma ? 'prisma.$transaction' : 'db.transaction';
  const parameter = isPrisma
    ? `private readonly prisma: ${provided.name}`
    : `@Inject(${provided.name}) private readonly db: ReturnType<typeof drizzle>`;
  return `import { Controller, ${isPrisma ? '' : 'Inject, '}Post } from '@nestjs/common';
${isPrisma ? '' : `import type { drizzle } from 'drizzle-orm/${driver}';\n`}import { WebhookDispatcher } from 'nestjs-thorn';
${importOf(provided, ending)}

interface Greeting {
  text: string;
}

@Controller('greetings')
export class GreetingsController {
  constructor(
    ${parameter},
    private readonly dispatcher: WebhookDispatcher,
  ) {}

  /** An example event, stored in the transaction: a rollback takes it along. */
  @Post()
  greet(): ${isSync ? 'Greeting' : 'Promise<Greeting>'} {
    return this.${begin}(${isSync ? '' : 'async '}(tx) => {
      const greeting = { text: 'Hello' };
      ${isSync ? '' : 'await '}this.dispatcher.${isSync ? 'sendSync' : 'send'}('greeting.sent', greeting, { tx });
      return greeting;
    });
  }
}
`;
}

const LISTENER = `import { Controller, HttpCode, Logger, Post } from '@nestjs/common';
import {
  type VerifiedWebhook,
  Webhook,
  WebhookReceiver,
} from 'nestjs-thorn/receiver';

/** An example of the other side: it stands for the application of a customer. */
@Controller('webhooks')
export class WebhooksController {
  private readonly logger = new Logger('Webhooks');

  @Post()
  @HttpCode(204)
  @WebhookReceiver('example')
  receive(@Webhook() { event, payload }: VerifiedWebhook): void {
    this.logger.log(\`Verified \${event}: \${JSON.stringify(payload)}\`);
  }
}
`;
