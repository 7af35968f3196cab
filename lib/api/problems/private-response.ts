import type { CanActivate, ExecutionContext } from '@nestjs/common';

const PRIVATE_HEADERS = {
  'Cache-Control': 'private, no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** Keeps a response out of caches, and browsers from guessing its type. */
export function setPrivateHeaders(response: HeaderResponse): void {
  for (const [name, value] of Object.entries(PRIVATE_HEADERS)) response.header(name, value);
}

/** Sets the headers of a private response before another guard can refuse the request. A handler may set other headers. */
export class PrivateResponseGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    setPrivateHeaders(context.switchToHttp().getResponse<HeaderResponse>());
    return true;
  }
}

/** The methods that the responses of both platforms have. */
export interface HeaderResponse {
  header(name: string, value: string): HeaderResponse;
  status(code: number): HeaderResponse;
  send(body?: string): unknown;
  /** Set by Express. */
  readonly headersSent?: boolean;
  /** Set by Fastify. */
  readonly sent?: boolean;
}
