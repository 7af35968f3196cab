import { type INestApplication, Logger, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { DynamicModule } from '@nestjs/common';

export const platforms = ['express', 'fastify'] as const;
export type Platform = (typeof platforms)[number];

/** A logger that records its lines. */
export class LogRecorder {
  readonly lines: string[] = [];
  readonly log = this.#write.bind(this);
  readonly warn = this.#write.bind(this);
  readonly error = this.#write.bind(this);

  #write(...parts: unknown[]): void {
    this.lines.push(parts.map(String).join(' '));
  }
}

/** An application that listens on loopback. */
export interface ReceiverApp {
  readonly app: INestApplication;
  readonly log: LogRecorder;
  post(path: string, request: { headers: object; body: Uint8Array | string }): Promise<Response>;
}

/** Starts an application with these modules and controllers. */
export async function startReceiverApp(
  platform: Platform,
  imports: (DynamicModule | Type<unknown>)[],
  controllers: Type<unknown>[],
  options: { rawBody?: boolean; beforeInit?: (app: INestApplication) => void } = {},
): Promise<ReceiverApp> {
  const log = new LogRecorder();
  Logger.overrideLogger(log);
  const module = await Test.createTestingModule({ imports, controllers }).setLogger(log).compile();
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = module.createNestApplication(adapter as ExpressAdapter, {
    rawBody: options.rawBody ?? true,
  });
  options.beforeInit?.(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    app,
    log,
    post: (path, { headers, body }) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: headers as Record<string, string>,
        body: body as Uint8Array<ArrayBuffer> | string,
      }),
  };
}
