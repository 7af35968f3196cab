import type { INestApplication, Type } from '@nestjs/common';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Webhook } from 'standardwebhooks';
import type { DataSourceOptions } from 'typeorm';
import { expect } from 'vitest';
import {
  Clock,
  defineEvents,
  generateSecret,
  outbox,
  Subscribers,
  ThornModule,
  WebhookDispatcher,
} from '../../../lib/index.js';
import { McpEvents, McpEventsError, McpEventsModule } from '../../../lib/mcp/index.js';
import { type ReceivedWebhook, ScriptedReceiver } from '../../../lib/testing/index.js';
import { createDatabase, type TestDatabase } from '../databases.js';
import type { Place } from '../places.js';
import type { Platform } from './api-app.js';

export const mcpEvents = defineEvents({
  'order.paid': {
    description: 'An order was paid',
    schema: {
      type: 'object',
      properties: {
        customer: { type: 'string', description: 'Who paid' },
        total: { type: ['number', 'null'] },
        lines: { type: 'array', items: { type: 'string' } },
      },
    },
  },
  'user.{username}.renamed': {
    description: 'A user has another name',
    schema: { type: 'object', properties: { to: { type: 'string' } } },
  },
  'till.counted': { description: 'A list', schema: { type: 'array' } },
  'payroll.run': { description: 'For the office alone' },
});

/** What a subscription is asked for with. */
export interface Asked {
  readonly path?: string;
  readonly secret?: string;
  readonly ttlMs?: number;
  readonly args?: object;
  /** Default: the first one. */
  readonly process?: INestApplication;
}

/** How MCP servers are added to a process. */
export type McpServers = (events: () => McpEvents) => {
  readonly controllers: Type<object>[];
  readonly strategy: CustomTransportStrategy;
};

/** Processes of one application that agents subscribe at, three subscriptions each, and the endpoint of these. */
export class McpApps {
  readonly logs: string[] = [];
  /** Principals that may subscribe to nothing. */
  readonly barred = new Set<string>();
  /** Milliseconds by which the clocks of all processes depart from that of the machine. */
  shift = 0;
  readonly #started: INestApplication[] = [];

  private constructor(
    private readonly database: TestDatabase,
    readonly receiver: ScriptedReceiver,
    private readonly options: DataSourceOptions,
    private readonly servers?: McpServers,
    private readonly platform: Platform = 'express',
  ) {}

  static async open(
    { kind, ...type }: Place,
    servers?: McpServers,
    platform?: Platform,
  ): Promise<McpApps> {
    const database = await createDatabase(kind);
    const options = { ...database.options, ...type } as DataSourceOptions;
    const apps = new McpApps(database, await ScriptedReceiver.start(), options, servers, platform);
    await apps.start();
    return apps;
  }

  /** The first process. */
  get app(): INestApplication {
    return this.#started[0]!;
  }

  async start(): Promise<INestApplication> {
    const shift = () => this.shift;
    class ShiftedClock extends Clock {
      override now(): number {
        return Date.now() + shift();
      }
    }
    const server = this.servers?.(() => started.get(McpEvents));
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...this.options, autoLoadEntities: true, synchronize: true }),
        ThornModule.forRoot({
          dispatch: outbox({ pollInterval: 25, history: true }),
          events: mcpEvents,
          recipients: 'development',
          api: {
            unprotected: true,
            owner: ({ headers }) => headers['x-owner'] as string | undefined,
          },
          http: {
            lookup: (host, _options, done) =>
              done(null, [
                { address: host.startsWith('inside') ? '169.254.1.1' : '9.9.9.9', family: 4 },
              ]),
          },
          clock: ShiftedClock,
        }),
        McpEventsModule.forRoot({
          // Of a principal `team/ann` it is `team`.
          owner: (principal) => principal.split('/')[0]!,
          authorize: (principal, event, args) =>
            event !== 'payroll.run' &&
            args?.['customer'] !== 'vip' &&
            !(args && this.barred.has(principal)),
          maxSubscriptions: 3,
        }),
      ],
      controllers: server?.controllers ?? [],
    }).compile();
    const note = (...parts: unknown[]) => void this.logs.push(parts.map(String).join(' '));
    const logger = { log: note, warn: note, error: note, debug: note, verbose: note };
    const started: INestApplication = module.createNestApplication(
      this.platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
      { logger },
    );
    if (server !== undefined) started.connectMicroservice({ strategy: server.strategy });
    await started.startAllMicroservices();
    await started.listen(0, '127.0.0.1');
    this.#started.push(started);
    return started;
  }

  async close(): Promise<void> {
    for (const started of this.#started) await started.close();
    await this.receiver.stop();
    await this.database.drop();
  }

  paramsOf({ path = '/callback', secret = generateSecret(), ttlMs, args = {} }: Asked) {
    const delivery = { mode: 'webhook', url: new URL(path, this.receiver.url).href, secret };
    return { name: 'order.paid', arguments: args, delivery, ...(ttlMs !== undefined && { ttlMs }) };
  }

  async subscribe(principal: string, asked: Asked) {
    const answer = await (asked.process ?? this.app)
      .get(McpEvents)
      .handle('events/subscribe', this.paramsOf(asked), { principal });
    expect(answer).toEqual({
      resultType: 'complete',
      id: expect.stringMatching(/^sub_[0-9a-f]{32}$/),
      refreshBefore: expect.any(String),
      cursor: null,
      truncated: false,
    });
    return answer as { readonly id: string; readonly refreshBefore: string };
  }

  async unsubscribe(principal: string, path?: string): Promise<void> {
    const params = this.paramsOf({ ...(path !== undefined && { path }) });
    const call = this.app.get(McpEvents).handle('events/unsubscribe', params, { principal });
    expect(await call).toEqual({ resultType: 'complete' });
  }

  revoke(principal: string): Promise<number> {
    return this.app.get(McpEvents).revoke(principal);
  }

  async refusal(method: string, params: unknown, principal: string | null | undefined) {
    const error: unknown = await this.app
      .get(McpEvents)
      .handle(method, params, { principal })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(McpEventsError);
    return error as McpEventsError;
  }

  async stored(owner: string) {
    return (await this.app.get(Subscribers).list({}, { owner })).items;
  }

  async send(data: object): Promise<string> {
    return (await this.app.get(WebhookDispatcher).send('order.paid', data)).id;
  }

  receivedOf(message: string): readonly ReceivedWebhook[] {
    return this.receiver.received.filter(({ id }) => id === message);
  }
}

/** Answers a challenge as clients do, and accepts deliveries. */
export function echo({ body }: ReceivedWebhook) {
  const { challenge } = JSON.parse(body.toString()) as { challenge?: string };
  return challenge === undefined ? 204 : { body: JSON.stringify({ challenge }) };
}

/** By another implementation of the standard. */
export function verify({ body, headers }: ReceivedWebhook, secret: string): void {
  new Webhook(secret).verify(body, headers as Record<string, string>);
}
