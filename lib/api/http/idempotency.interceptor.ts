import { createHash } from 'node:crypto';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { catchError, from, mergeMap, type Observable, of } from 'rxjs';
import { FaultLog } from '../../common/index.js';
import { IdempotencyStore, type KeptAnswer } from '../../idempotency/index.js';
import type { ApiRequest } from '../options/api-options.js';
import { badRequest, problem } from '../problems/problem.js';
import type { HeaderResponse } from '../problems/private-response.js';
import { pathOf } from './collection-path.decorator.js';
import { scopeOf } from './owner.guard.js';

const KEY = /^[\x21-\x7e]{1,255}$/;
/** The headers of an answer that a handler may set, and that a repeated request gets again. */
const HEADERS = ['location', 'etag'];

interface PostRequest extends ApiRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly body?: unknown;
}

interface HeadedResponse extends HeaderResponse {
  readonly statusCode: number;
  getHeader(name: string): unknown;
}

/**
 * Runs a POST with an `Idempotency-Key` once. A repeated request gets the first answer again; a different request with
 * the same key gets a 422. A request that was refused has changed nothing, so the caller may repeat it with the same
 * key.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  readonly #faults = new FaultLog('ThornApi');

  constructor(private readonly store: IdempotencyStore) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<PostRequest>();
    const given = request.headers['idempotency-key'];
    if (given === undefined || request.method !== 'POST') return next.handle();
    if (typeof given !== 'string' || !KEY.test(given)) {
      throw badRequest([
        { field: 'Idempotency-Key', reason: 'must be 1 to 255 printable characters' },
      ]);
    }
    const { owner } = scopeOf(request) as { readonly owner: string | null };
    const key = hash([owner, pathOf(request.originalUrl), given]);
    const found = await this.store.begin(key, hash([given, request.body]));
    const response = context.switchToHttp().getResponse<HeadedResponse>();
    switch (found.state) {
      case 'fresh':
        return this.#once(key, next, response);
      case 'under-way':
        throw problem('request-under-way', 'A request with this Idempotency-Key is under way');
      case 'different':
        throw problem(
          'idempotency-key-reused',
          'This Idempotency-Key was used for another request: send a new one',
        );
      case 'done':
        return of(replayed(found.answer, response));
    }
  }

  #once(key: string, next: CallHandler, response: HeadedResponse): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) =>
        from(this.store.abandon(key)).pipe(
          mergeMap(() => {
            throw error;
          }),
        ),
      ),
      mergeMap(async (body: unknown) => {
        const headers = Object.fromEntries(
          HEADERS.flatMap((name) => {
            const value = response.getHeader(name);
            return typeof value === 'string' ? [[name, value]] : [];
          }),
        );
        await this.#keep(key, { body, headers, status: response.statusCode });
        return body;
      }),
    );
  }

  /** Stores the answer. Its errors are only logged: the request has succeeded, and an error would make the caller repeat it. */
  async #keep(key: string, answer: KeptAnswer): Promise<void> {
    try {
      await this.store.finish(key, answer);
    } catch (error) {
      this.#faults.report(
        'The answer of a request with an Idempotency-Key was not kept; its key is free again in a minute',
        error,
      );
    }
  }
}

function replayed({ body, headers, status }: KeptAnswer, response: HeaderResponse): unknown {
  response.status(status);
  for (const [name, value] of Object.entries(headers)) response.header(name, value);
  response.header('Idempotency-Replayed', 'true');
  return body;
}

function hash(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
