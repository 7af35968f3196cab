import {
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { apiController, type ThornApiOptions } from '../lib/api/index.js';
import { SystemClock } from '../lib/common/clock.js';
import { PublicRecipientPolicy } from '../lib/delivery/public-recipient-policy.js';
import { InvalidInputError } from '../lib/errors/index.js';
import { checkSecret, generateSecret } from '../lib/signing/index.js';
import { InMemorySubscriberRepository } from '../lib/subscriber/in-memory-subscriber.repository.js';
import { patternMatches, Subscribers } from '../lib/subscriber/index.js';

export const platforms = ['express', 'fastify'] as const;
export type Platform = (typeof platforms)[number];

const KNOWN_EVENTS = ['article.created', 'article.changed', 'article.tag.added', 'order.paid'];
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
  readonly controller: Type<unknown>;
  readonly subscribers: Subscribers;
  send(method: string, path: string, request?: ApiCall): Promise<Answer>;
}

export interface ApiCall {
  readonly as?: 'alice' | 'bob' | 'nobody';
  /** Sent as JSON; a Buffer is sent as it is. */
  readonly body?: unknown;
  readonly type?: string;
}

const owners: ThornApiOptions = {
  guards: [BearerGuard],
  owner: (request) => request.user.id,
};

/** An application with the API on a free port of the loopback interface, and subscribers kept in memory. */
export async function startApi(
  platform: Platform,
  options: ThornApiOptions = owners,
  configure: (app: INestApplication) => void = () => {},
  fastify: ConstructorParameters<typeof FastifyAdapter>[0] = {},
): Promise<Api> {
  const policy = new PublicRecipientPolicy();
  const subscribers = new Subscribers(new InMemorySubscriberRepository(), new SystemClock(), {
    checkUrl: (url) => policy.checkUrl(url),
    contentTypes: ['application/json', 'application/x-www-form-urlencoded'],
    checkPatternKnown: (pattern) => {
      if (KNOWN_EVENTS.some((name) => patternMatches(pattern, name))) return;
      throw new InvalidInputError('events', `can match no event: "${pattern}"`);
    },
    checkSecret,
    generateSecret,
  });
  const controller = apiController(options);
  const module = await Test.createTestingModule({
    controllers: [controller],
    providers: [Users, { provide: Subscribers, useValue: subscribers }],
  }).compile();
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(fastify);
  const app = module.createNestApplication(adapter, { logger: false });
  configure(app);
  await app.listen(0, '127.0.0.1');
  const url = (await app.getUrl()).replace(/\/$/, '');
  return {
    app,
    url,
    controller,
    subscribers,
    send: (method, path, call) => send(method, url + path, call),
  };
}

async function send(method: string, url: string, call: ApiCall = {}): Promise<Answer> {
  const { as = 'alice', body, type = 'application/json' } = call;
  const response = await fetch(url, {
    method,
    headers: {
      ...(as === 'nobody' ? {} : { authorization: `Bearer ${as}-token` }),
      ...(body === undefined ? {} : { 'content-type': type }),
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
