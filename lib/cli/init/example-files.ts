import type { Address } from './main-file.js';
import type { DatabaseClient } from './database-client.js';
import { databaseImports, databaseLines } from './page-files.js';
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
      .replace('DATABASE', database === undefined ? IN_MEMORY : databaseLines(database).join('\n'))
      .replace('IMPORTS', ['', ...databaseImports(database, ending)].join('\n')),
    'webhooks/greetings.controller.ts': EVENT,
    'webhooks/webhooks.controller.ts': LISTENER,
  };
}

const IN_MEMORY = `      // In memory, so that the example runs anywhere. Remove this line to
      // store events in your TypeORM database.
      dataSources: [],`;

const MODULE = `import { randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { ThornModule } from 'nestjs-thorn';
import { ThornReceiverModule } from 'nestjs-thorn/receiver';IMPORTS
import { GreetingsController } from './greetings.controllerEXT';
import { WebhooksController } from './webhooks.controllerEXT';

// For the example alone: made anew at each start, so nothing has to keep it.
const secret = \`whsec_\${randomBytes(24).toString('base64')}\`;
const isProduction = process.env.NODE_ENV === 'production';
const listener = \`http://127.0.0.1:\${PORT}PREFIX/webhooks\`;

@Module({
  imports: [
    ThornModule.forRoot({
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
