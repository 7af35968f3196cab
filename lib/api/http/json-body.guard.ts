import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { isObject, isDeeperThan } from '../../common/objects.js';
import type { ApiRequest } from '../options/api-options.js';
import { badRequest, problem } from '../problems/problem.js';

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;
const WITH_BODY = new Set(['POST', 'PATCH', 'PUT']);
/** The greatest depth of a body. No field needs as many levels, and code that walks into a body by recursion survives them. */
const MAX_DEPTH = 32;

/**
 * Accepts a body only when it is declared as JSON, and is neither larger nor deeper than allowed. Both platforms parse
 * HTML forms as well, and a browser posts a form to any site with the user's cookies. Without this guard, a page of
 * another site could create a subscriber in the user's name.
 */
export class JsonBodyGuard implements CanActivate {
  constructor(private readonly maxBytes: number) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context
      .switchToHttp()
      .getRequest<ApiRequest & { readonly method: string; readonly body?: unknown }>();
    if (!WITH_BODY.has(request.method)) return true;
    if (!JSON_TYPE.test(String(request.headers['content-type'] ?? ''))) {
      throw problem('unsupported-media-type', [
        { field: 'body', reason: 'must be JSON: send the header Content-Type: application/json' },
      ]);
    }
    // The order of the checks matters: the declared size costs nothing to check, and a body that is too deep cannot be
    // measured.
    this.#checkSize(Number(request.headers['content-length'] ?? 0));
    const deep = tooDeep(request.body);
    if (deep.length > 0) {
      const reason = `must not be nested deeper than ${MAX_DEPTH} levels`;
      throw badRequest(
        deep.map((field) => ({ field, reason, code: 'too-deep', data: { max: MAX_DEPTH } })),
      );
    }
    if (isSizeUnknown(request)) this.#checkSize(bytesOf(request.body));
    return true;
  }

  #checkSize(bytes: number): void {
    if (bytes <= this.maxBytes) return;
    throw problem('body-too-large', `The body must have at most ${this.maxBytes} bytes`);
  }
}

/** The names of the fields that are nested too deeply, or of the body itself when it has no fields. */
function tooDeep(body: unknown): readonly string[] {
  if (!isObject(body)) return isDeeperThan(body, MAX_DEPTH) ? ['body'] : [];
  return Object.keys(body).filter((field) => isDeeperThan(body[field], MAX_DEPTH));
}

/** A body in chunks has no declared length, and the declared length of a compressed body counts the compressed bytes. */
function isSizeUnknown({ headers }: ApiRequest): boolean {
  return headers['content-length'] === undefined || headers['content-encoding'] !== undefined;
}

function bytesOf(body: unknown): number {
  return body === undefined ? 0 : Buffer.byteLength(JSON.stringify(body));
}
