import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, MethodNotAllowedException, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { problem } from '../problems/errors.js';
import {
  type Problem,
  problemOf,
  type ProblemResponse,
  problemWith,
  sendProblem,
} from '../problems/problem.js';
import { noteEmptyJson } from './empty-json.js';
import { KnownRoutes, type MatchedPath } from './known-routes.js';
import { expressMark, fastifyMark } from './route-mark.js';

interface ExpressRequest {
  readonly method: string;
  readonly originalUrl: string;
}

type Next = (error?: unknown) => void;

/** As much of an Express application as is used. */
interface Express {
  readonly router?: { readonly stack?: readonly ExpressLayer[] };
  use(
    handler:
      | ((request: ExpressRequest, response: HeaderedResponse, next: Next) => void)
      | ((error: unknown, request: ExpressRequest, response: HeaderedResponse, next: Next) => void),
  ): unknown;
}

interface ExpressLayer {
  readonly route?: {
    readonly path?: unknown;
    readonly stack?: readonly { readonly method?: string; readonly handle?: unknown }[];
  };
}

interface HeaderedResponse extends ProblemResponse {
  readonly headersSent?: boolean;
}

interface FastifyRoute {
  readonly method: string | readonly string[];
  readonly url: string;
  readonly config?: unknown;
  errorHandler?: (error: unknown, request: unknown, reply: ProblemResponse) => void;
  preParsing?: unknown;
}

interface FastifyRequest {
  readonly method: string;
  readonly url: string;
  readonly is404: boolean;
}

/** As much of a Fastify instance as is used. */
interface Fastify {
  addHook(name: 'onRoute', hook: (route: FastifyRoute) => void): unknown;
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequest, reply: HeaderedResponse, done: Next) => void,
  ): unknown;
}

/**
 * Answers on the API's own paths for what never reaches a handler: bodies that the platform cannot read, and methods
 * that a path does not have. Requests to any other path pass untouched.
 */
@Injectable()
export class PlatformProblems implements OnModuleInit {
  readonly #routes = new KnownRoutes();

  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {
    // Before the routes are registered, which is when Fastify tells of them.
    host.init$.subscribe(() => {
      if (this.#platform() === 'fastify') this.#watchFastify(this.#instance<Fastify>());
    });
  }

  /** The paths of the REST APIs, with the prefixes of the application. Empty for an application without HTTP. */
  get apis(): readonly string[] {
    return this.#routes.apis;
  }

  /** The paths of pages, likewise. */
  get pages(): readonly string[] {
    return this.#routes.pages;
  }

  /** Nest calls this when all routes are registered, and before its handlers for what no route has answered. */
  onModuleInit(): void {
    if (this.#platform() === 'express') this.#watchExpress(this.#instance<Express>());
  }

  #watchExpress(express: Express): void {
    for (const { route } of express.router?.stack ?? []) {
      for (const { method, handle } of route?.stack ?? []) {
        const mark = expressMark(handle);
        if (mark === undefined || typeof route?.path !== 'string' || method === undefined) continue;
        this.#routes.add(method, route.path, mark);
      }
    }
    express.use((request: ExpressRequest, response: HeaderedResponse, next: Next) => {
      const path = this.#refusedPath(request.method, request.originalUrl);
      if (path === null) return next();
      response.header('Allow', path.allow);
      if (path.problems) return sendProblem(response, methodNotAllowed(request.method));
      return next(new MethodNotAllowedException());
    });
    // Express tells error handlers by their four parameters.
    express.use(
      (error: unknown, request: ExpressRequest, response: HeaderedResponse, next: Next) => {
        const status = statusOf(error);
        const path = this.#routes.match(request.originalUrl);
        if (path?.problems !== true || status === null || response.headersSent) return next(error);
        sendProblem(response, platformProblem(error, status));
      },
    );
  }

  #watchFastify(fastify: Fastify): void {
    fastify.addHook('onRoute', (route) => {
      const mark = fastifyMark(route.config);
      if (mark === undefined) return;
      for (const method of [route.method].flat()) this.#routes.add(method, route.url, mark);
      route.preParsing = [route.preParsing ?? [], acceptEmptyJson].flat();
      if (!mark.problems) return;
      route.errorHandler = (error, _request, reply) => {
        const status = statusOf(error);
        if (status === null) throw error;
        sendProblem(reply, platformProblem(error, status));
      };
    });
    fastify.addHook('onRequest', (request, reply, done) => {
      const path = request.is404 ? this.#refusedPath(request.method, request.url) : null;
      if (path === null) return done();
      reply.header('Allow', path.allow);
      if (path.problems) return sendProblem(reply, methodNotAllowed(request.method));
      return done(new MethodNotAllowedException());
    });
  }

  /** OPTIONS is left to the platform and to CORS. */
  #refusedPath(method: string, url: string): MatchedPath | null {
    if (method === 'OPTIONS') return null;
    const path = this.#routes.match(url);
    return path === null || path.methods.has(method) ? null : path;
  }

  #platform(): string | undefined {
    // An application without HTTP has no adapter, whatever the type says.
    const adapter: HttpAdapterHost['httpAdapter'] | null | undefined = this.host.httpAdapter;
    return adapter?.getType?.();
  }

  #instance<Instance>(): Instance {
    return this.host.httpAdapter.getInstance<Instance>();
  }
}

function methodNotAllowed(method: string): Problem {
  return problemOf(
    problem('method-not-allowed', `This path does not take ${method}: see the header Allow`),
  );
}

/** Lets Fastify take an empty body that is declared as JSON, as Express does: it then looks for no body at all. */
function acceptEmptyJson(
  { raw }: { readonly raw: IncomingMessage },
  _reply: unknown,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = raw.headers;
  // HTTP/1 has no body without one of these headers, and HTTP/2 needs neither.
  const isUndeclared = length === undefined && encoding === undefined && raw.httpVersionMajor === 1;
  if (length === '0' || isUndeclared) noteEmptyJson(raw);
  done(null, payload);
}

/** The status of an error that a platform has thrown at a caller, or null for a bug. */
function statusOf(error: unknown): number | null {
  const { status, statusCode } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const given = status ?? statusCode;
  return typeof given === 'number' && given >= 400 && given < 500 ? given : null;
}

/** Express and Fastify repeat characters of the body in their texts: the problem has words of its own. */
function platformProblem(error: unknown, status: number): Problem {
  const { type, code, name } = error as Readonly<Record<string, unknown>>;
  const isJson =
    type === 'entity.parse.failed' ||
    code === 'FST_ERR_CTP_INVALID_JSON_BODY' ||
    code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ||
    name === 'SyntaxError';
  if (status === 400 && isJson) {
    return problemOf(problem('malformed-json', 'The body must be a JSON object'));
  }
  return problemWith(status, {}, TEXTS[status] ?? 'The request cannot be read');
}

const TEXTS: Readonly<Record<number, string>> = {
  413: 'The body is larger than the application reads',
  415: 'The body must be JSON in UTF-8: send the header Content-Type: application/json',
};
