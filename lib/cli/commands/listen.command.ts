import { styleText } from 'node:util';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { verifyWebhook } from '../../receiver/routes/webhook-verifier.js';
import { WebhookRejectedError } from '../../receiver/schemes/signed-request.js';
import { type Command, type Given, parseText } from './command.js';
import { fetchFailure, parseUrl } from './api-client.js';
import { schemeOptions, signatureSettings, usageErrorOf } from './scheme-options.js';
import { type Terminal, UsageError } from './terminal.js';

const MOST_BYTES = 16 * 1024 * 1024;
/** Headers of one connection, which are not forwarded. */
const HOP =
  /^(?:host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|expect)$/;

export const listenCommand: Command = {
  name: 'listen',
  operands: '',
  summary: 'Receives webhooks on this machine, verifies and prints them, and can forward them',
  details: [
    'With --forward, each verified request goes unchanged to that port or URL, and the sender gets its answer. A request',
    'with a wrong signature is answered with 401. Without a secret, the command verifies no signatures. Without --forward, a',
    'challenge of the REST API is answered with its token.',
  ].join('\n'),
  options: {
    ...schemeOptions,
    port: {
      type: 'string',
      short: 'p',
      value: 'port',
      help: 'the port to listen on; 0: any free port. Default: 4000',
    },
    host: {
      type: 'string',
      value: 'address',
      help: 'the address to listen on. Default: 127.0.0.1',
    },
    forward: {
      type: 'string',
      short: 'f',
      value: 'port[/path]|url',
      help: 'where to forward verified requests',
    },
    status: {
      type: 'string',
      value: 'code',
      help: 'the status to answer with, without --forward. Default: 204',
    },
  },
  most: 0,
  async run(_operands, given, terminal) {
    const { secrets, ...settings } = signatureSettings(given, terminal, false);
    const status = numberOf('status', parseText(given, 'status') ?? '204', 200, 599);
    const port = numberOf('port', parseText(given, 'port') ?? '4000', 0, 65_535);
    const forward = targetOf(parseText(given, 'forward'));
    const verify = (request: Received) =>
      secrets.length === 0
        ? 'not verified'
        : `ok, ${verifyWebhook({ ...request, ...settings, secrets }).id ?? 'without an id'}`;
    if (secrets.length > 0)
      checkSettings(() => verify({ headers: {}, body: Buffer.alloc(0), path: '/' }), given);

    const server = createServer((request, response) => {
      void answer(request, response).catch((error: unknown) => {
        terminal.note(harmless(`failed: ${(error as Error).message}`));
        if (!response.headersSent) response.writeHead(502);
        response.end();
      });
    });

    async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const received = await receivedOf(request);
      if (received === null) return void response.writeHead(413, { connection: 'close' }).end();
      let verdict: string;
      try {
        verdict = verify(received);
      } catch (error) {
        if (!(error instanceof WebhookRejectedError)) throw error;
        print(terminal, request, 'red', `${error.reason}: ${error.message}`, received.body);
        return void response.writeHead(401).end();
      }
      const colour = secrets.length === 0 ? 'yellow' : 'green';
      print(terminal, request, colour, verdict, received.body);
      const since = performance.now();
      const target = forward === null ? null : targetFor(forward, received);
      const { code, type, body } =
        target === null
          ? ownAnswer(received.body, status)
          : await passOn(target, received, request.method);
      const where = target === null ? 'answered' : `forwarded to ${target.href}:`;
      const took = `${Math.round(performance.now() - since)} ms`;
      const isSuccess = code >= 200 && code < 300;
      const line = `${where} ${code} in ${took}`;
      terminal.note(`  ${coloured(terminal, isSuccess ? 'green' : 'red', harmless(line))}`);
      response.writeHead(code, type === null ? {} : { 'content-type': type }).end(body);
    }

    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new UsageError(listeningFault(error, port))),
      );
      server.listen(port, parseText(given, 'host') ?? '127.0.0.1', resolve);
    });
    const bound = server.address() as { readonly address: string; readonly port: number };
    const address = bound.address.includes(':') ? `[${bound.address}]` : bound.address;
    terminal.out(`listening on http://${address}:${bound.port}`);
    await new Promise<void>((resolve) => {
      if (terminal.interrupted.aborted) resolve();
      terminal.interrupted.addEventListener('abort', () => resolve());
    });
    server.close();
    server.closeAllConnections();
    return 0;
  },
};

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** @returns null when the body is too long */
async function receivedOf(request: IncomingMessage): Promise<Received | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MOST_BYTES) return null;
    chunks.push(chunk as Buffer);
  }
  return { path: request.url ?? '/', headers: request.headers, body: Buffer.concat(chunks) };
}

interface Answer {
  readonly code: number;
  readonly type: string | null;
  readonly body: Buffer;
}

/** A listener wants the webhooks, so a challenge is answered as the REST API expects. */
function ownAnswer(body: Buffer, status: number): Answer {
  const token = challengeIn(body.toString());
  return token === null
    ? { code: status, type: null, body: Buffer.alloc(0) }
    : { code: 200, type: 'application/json', body: Buffer.from(JSON.stringify({ token })) };
}

function challengeIn(text: string): string | null {
  try {
    const { type, event, data } = (JSON.parse(text) ?? {}) as {
      readonly type?: unknown;
      readonly event?: unknown;
      readonly data?: { readonly token?: unknown } | null;
    };
    const token = (type ?? event) === 'thorn.challenge' ? data?.token : null;
    return typeof token === 'string' ? token : null;
  } catch {
    return null;
  }
}

/** The path of the request is kept, unless `--forward` names one. Never read as a URL: it could name another host. */
function targetFor(forward: URL, { path }: Received): URL {
  if (forward.pathname !== '/') return forward;
  const target = new URL(forward);
  const [pathname = '/'] = path.split('?', 1);
  target.pathname = pathname;
  target.search = path.slice(pathname.length);
  return target;
}

async function passOn(url: URL, received: Received, method = 'POST'): Promise<Answer> {
  const headers = Object.entries(received.headers).flatMap(([name, value]) =>
    value === undefined || HOP.test(name)
      ? []
      : [[name, Array.isArray(value) ? value.join(', ') : value] as [string, string]],
  );
  const response = await fetch(url, {
    method,
    headers,
    redirect: 'manual',
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: new Uint8Array(received.body) }),
  }).catch((error: unknown) => {
    throw new Error(`${url.origin}${url.pathname} was not reached: ${fetchFailure(error)}`);
  });
  return {
    code: response.status,
    type: response.headers.get('content-type'),
    body: Buffer.from(await response.arrayBuffer()),
  };
}

function print(
  terminal: Terminal,
  request: IncomingMessage,
  colour: Colour,
  verdict: string,
  body: Buffer,
): void {
  const event = request.headers['hook-event'] ?? '';
  const line = `${request.method} ${request.url} ${String(event)} `.replaceAll('  ', ' ');
  const time = coloured(terminal, 'dim', new Date().toTimeString().slice(0, 8));
  terminal.out(`${time} ${harmless(line)}${coloured(terminal, colour, harmless(`(${verdict})`))}`);
  if (body.length > 0) terminal.out(harmless(readable(body)).replaceAll(/^/gm, '  '));
}

type Colour = 'red' | 'green' | 'yellow' | 'dim';

function coloured({ hasColours }: Terminal, colour: Colour, text: string): string {
  return hasColours ? styleText(colour, text, { validateStream: false }) : text;
}

/** Says what to do about a server that could not listen. */
function listeningFault(error: NodeJS.ErrnoException, port: number): string {
  return error.code === 'EADDRINUSE'
    ? `port ${port} is in use. Name another one with --port, or any free one with --port 0`
    : error.message;
}

/** Without what would steer the terminal. */
function harmless(text: string): string {
  return text.replaceAll(/[\0-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

function readable(body: Buffer): string {
  const text = body.toString();
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // As it is.
  }
}

/** Reports a wrong secret at once instead of on the first request. */
function checkSettings(verify: () => unknown, given: Given): void {
  try {
    verify();
  } catch (error) {
    if (!(error instanceof WebhookRejectedError)) throw usageErrorOf(error, given);
  }
}

function targetOf(text: string | undefined): URL | null {
  if (text === undefined) return null;
  let full = text;
  if (/^\d+(?:\/|$)/.test(text)) full = `http://127.0.0.1:${text}`;
  else if (/^[\w.-]+:\d+(?:\/|$)/.test(text)) full = `http://${text}`;
  const url = parseUrl(full, '--forward');
  if (url !== null) return url;
  throw new UsageError(
    '--forward must be a port with or without a path, such as 4100/webhooks, or an http or https URL',
  );
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`--${name} must be a whole number from ${least} to ${most}`);
}
