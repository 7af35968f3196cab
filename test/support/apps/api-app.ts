import {
  type CanActivate,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  Module,
  UnauthorizedException,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  defineEvents,
  inline,
  outbox,
  Subscribers,
  type ThornApiOptions,
  ThornModule,
  type ThornModuleExtras,
  type ThornModuleOptions,
} from '../../../lib/index.js';
import type { TestDatabase } from '../databases.js';

export const platforms = ['express', 'fastify'] as const;
export type Platform = (typeof platforms)[number];

/** What may be subscribed to. */
export const events = defineEvents({
  'article.created': {
    description: 'An article is new',
    schema: { type: 'object', properties: { title: { type: 'string' } } },
    example: { title: 'Hello' },
  },
  'article.changed': { description: 'An article was changed' },
  'article.tag.added': { description: 'An article has one more tag' },
  'order.paid': { description: 'An order was paid', schema: { examples: [{ total: 5 }] } },
  'stock.{sku}.low': { description: 'Few are left' },
});
const TOKENS: Readonly<Record<string, { id: string } | undefined>> = {
  'Bearer alice-token': { id: 'alice' },
  'Bearer bob-token': { id: 'bob' },
};

@Injectable()
export class Users {
  byAuthorization(header: string | undefined): { id: string } | undefined {
    return TOKENS[header ?? ''];
  }
}

/** As applications write it: it injects what knows the users, and leaves the one it found on the request. */
@Injectable()
export class BearerGuard implements CanActivate {
  constructor(private readonly users: Users) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{
      headers: Record<string, string | undefined>;
      user?: { id: string };
    }>();
    const user = this.users.byAuthorization(request.headers['authorization']);
    if (user === undefined) throw new UnauthorizedException();
    request.user = user;
    return true;
  }
}

/** Lets everybody in, for an API of operators. */
@Injectable()
export class AnybodyGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The tests look into answers of every shape.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface Api {
  readonly app: INestApplication;
  readonly url: string;
  readonly subscribers: Subscribers;
  send(method: string, path: string, request?: ApiCall): Promise<Answer>;
}

export interface ApiCall {
  readonly as?: 'alice' | 'bob' | 'nobody';
  /** Sent as JSON; a Buffer is sent as it is. */
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const owners: ThornApiOptions = {
  guards: [BearerGuard],
  owner: (request) => request.user.id,
};

/** How an application of the tests is made. */
export interface ApiSetUp {
  readonly api?: ThornApiOptions;
  readonly thorn?: ThornModuleOptions & ThornModuleExtras;
  /** Default: subscribers are kept in memory, and there is no delivery log. */
  readonly store?: TestDatabase;
  readonly configure?: (app: INestApplication) => void;
  /** Other modules of the application. */
  readonly imports?: readonly DynamicModule[];
  readonly fastify?: ConstructorParameters<typeof FastifyAdapter>[0];
}

/** Guards of applications are constructed in Thorn's module: it imports what they inject. */
@Module({ providers: [Users], exports: [Users] })
class UsersModule {}

/** An application with the API on a free port of the loopback interface. */
export async function startApi(
  platform: Platform,
  { api = owners, thorn = {}, store, configure, imports = [], fastify = {} }: ApiSetUp = {},
): Promise<Api> {
  const module = await Test.createTestingModule({
    imports: [
      ...(store === undefined
        ? []
        : [TypeOrmModule.forRoot({ autoLoadEntities: true, synchronize: true, ...store.options })]),
      ThornModule.forRoot({
        ...(store === undefined && thorn.database === undefined
          ? { dataSources: [], dispatch: inline() }
          : { dispatch: outbox({ pollInterval: 25 }) }),
        events,
        // No name is looked up outside.
        http: {
          lookup: (_host, _options, done) => done(null, [{ address: '9.9.9.9', family: 4 }]),
        },
        ...thorn,
        api: { ...api, imports: [UsersModule] },
      }),
      ...imports,
    ],
  }).compile();
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(fastify);
  const app = module.createNestApplication(adapter, { logger: false });
  configure?.(app);
  await app.listen(0, '127.0.0.1');
  const url = (await app.getUrl()).replace(/\/$/, '');
  return {
    app,
    url,
    subscribers: app.get(Subscribers),
    send: (method, path, call) => send(method, url + path, call),
  };
}

async function send(method: string, url: string, call: ApiCall = {}): Promise<Answer> {
  const { as = 'alice', body, type = 'application/json', headers = {} } = call;
  const response = await fetch(url, {
    method,
    headers: {
      ...(as === 'nobody' ? {} : { authorization: `Bearer ${as}-token` }),
      ...(body === undefined ? {} : { 'content-type': type }),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : { body: body instanceof Buffer ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith('{') ? JSON.parse(text) : undefined,
  };
}
