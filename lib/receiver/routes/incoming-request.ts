import {
  type ExecutionContext,
  InternalServerErrorException,
  UnsupportedMediaTypeException,
} from '@nestjs/common';
import {
  type HeadersSource,
  signedRequest,
  type SignedRequest,
} from '../schemes/signed-request.js';
import type { VerifiedWebhook } from './webhook-verifier.js';

/** The part that Express' and Fastify's requests have in common. */
interface IncomingRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawBody?: unknown;
  readonly body?: unknown;
}

/** The results of verification that are kept for a request. */
interface Verified {
  readonly webhook: VerifiedWebhook;
  isIntercepted: boolean;
}

// One map for the whole process, because no service can be injected into a decorator of a parameter. Its key is the
// request, which belongs to one application; no property of the request is written.
const verified = new WeakMap<object, Verified>();

export function incomingRequest(context: ExecutionContext): SignedRequest {
  const request = context.switchToHttp().getRequest<IncomingRequest>();
  return signedRequest(request.headers as HeadersSource, rawBodyOf(request));
}

export function rememberWebhook(context: ExecutionContext, webhook: VerifiedWebhook): void {
  const request = context.switchToHttp().getRequest<object>();
  verified.set(request, { webhook, isIntercepted: false });
}

export function webhookOf(context: ExecutionContext): VerifiedWebhook | undefined {
  return verified.get(context.switchToHttp().getRequest<object>())?.webhook;
}

/**
 * The webhook of a request that has not been intercepted before: the interceptor runs twice when its decorator stands on
 * the controller and on the route.
 */
export function interceptedWebhook(context: ExecutionContext): VerifiedWebhook | undefined {
  const found = verified.get(context.switchToHttp().getRequest<object>());
  if (found === undefined || found.isIntercepted) return undefined;
  found.isIntercepted = true;
  return found.webhook;
}

function rawBodyOf({ rawBody, headers, body }: IncomingRequest): string | Uint8Array {
  if (rawBody instanceof Uint8Array || typeof rawBody === 'string') return rawBody;
  const hasBody =
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody) return Buffer.alloc(0);
  // Nest parses these two on its own, so that only the option can be missing; with another type the parser may be.
  const type = String(headers['content-type']);
  const isParsedByNest = /^application\/(?:json|x-www-form-urlencoded)\s*(?:;|$)/i.test(type);
  // A parser of texts or bytes leaves the raw body; Fastify has one for texts.
  if (!isParsedByNest && (typeof body === 'string' || body instanceof Uint8Array)) return body;
  if (isParsedByNest || !isEmpty(body)) {
    throw new InternalServerErrorException(
      'Webhooks cannot be verified: the raw body was not kept. Create the application with ' +
        'NestFactory.create(AppModule, { rawBody: true }).',
    );
  }
  throw new UnsupportedMediaTypeException(
    "No body parser reads this content type. Register one: app.useBodyParser('text') or app.useBodyParser('raw').",
  );
}

function isEmpty(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    (typeof body === 'object' && Object.keys(body).length === 0)
  );
}
