import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createMCPClient,
  experimental_createMCPEventWebhook,
  type Experimental_MCPEvent as MCPEvent,
  type Experimental_MCPEvents as MCPEvents,
} from '@ai-sdk/mcp';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import {
  All,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Inject,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { McpHttpControllerFor, McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import { z } from 'zod';
import { McpEvents } from '../../../lib/mcp/index.js';

/** Who calls is the token: real applications verify one. */
class BearerGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const given = context.switchToHttp().getRequest<Received>();
    const request: IncomingMessage & { auth?: object } = given.raw ?? given;
    const [, token] = request.headers.authorization?.split(' ') ?? [];
    if (token !== undefined) {
      request.auth = { token, clientId: 'one for all', scopes: [], extra: { sub: token } };
    }
    return true;
  }
}

/** A request of Express is Node's own; one of Fastify has it. */
type Received = IncomingMessage & { readonly raw?: IncomingMessage; readonly body: unknown };
type Reply = ServerResponse & { readonly raw?: ServerResponse; hijack?(): void };

/** Node's own response, which Fastify leaves alone from now on. */
function rawOf(reply: Reply): ServerResponse {
  reply.hijack?.();
  return reply.raw ?? reply;
}

const info = { name: 'shop', version: '1.0.0' };

@Controller('sdk-2')
@UseGuards(BearerGuard)
class Sdk2Controller {
  readonly #handle = toNodeHandler(createMcpHandler(() => this.events.attach(new McpServer(info))));

  constructor(@Inject(McpEvents) private readonly events: McpEvents) {}

  @All()
  async serve(@Req() request: Received, @Res() reply: Reply) {
    await this.#handle(request.raw ?? request, rawOf(reply), request.body);
  }
}

@Controller('sdk-1')
@UseGuards(BearerGuard)
class Sdk1Controller {
  constructor(@Inject(McpEvents) private readonly events: McpEvents) {}

  @All()
  async serve(@Req() request: Received, @Res() reply: Reply) {
    const response = rawOf(reply);
    const own = new McpServer1(info);
    // Of the application's own: it goes on answering what is not of events.
    own.server.fallbackRequestHandler = async ({ method }) => ({ method });
    const server = this.events.attach(own);
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse: true,
      sessionIdGenerator: undefined,
    });
    response.on('close', () => void server.close());
    await server.connect(transport);
    await transport.handleRequest(request.raw ?? request, response, request.body);
  }
}

/** Three servers for one application. @param events asked for each request of mcp-nest */
export function servers(events: () => McpEvents) {
  const transport = new StreamableHttpTransport();

  @Controller('mcp-nest')
  @UseGuards(BearerGuard)
  class McpNestController extends McpHttpControllerFor(transport) {}

  return {
    controllers: [Sdk1Controller, Sdk2Controller, McpNestController],
    strategy: new McpStrategy({
      ...info,
      transports: [transport],
      serverMutator: (server) => events().attach(server),
      logging: false,
    }),
  };
}

/** A client of the AI SDK with its own handler of webhooks, on loopback. */
export async function openAgent(url: string, token: string) {
  const records = new Map<string, Record<string, unknown>>();
  const find = (id: string) => [...records.values()].find((record) => record['id'] === id);
  const store = {
    get: async (key: string) => records.get(key),
    getById: async (id: string) => find(id),
    set: async (record: { key: string }) => void records.set(record.key, { ...record }),
    update: async (key: string, patch: object) =>
      void records.set(key, { ...records.get(key), ...patch }),
    delete: async (key: string) => void records.delete(key),
  } as never;
  const events: MCPEvent[] = [];
  const terminated: unknown[] = [];
  const statuses: number[] = [];
  const handle = experimental_createMCPEventWebhook({
    store,
    onEvent: async ({ event }) => void events.push(event),
    onTerminated: async ({ termination }) => void terminated.push(termination.error),
  });
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = await handle(
      new Request(`http://${request.headers.host}${request.url}`, {
        method: request.method!,
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      }),
    );
    statuses.push(answer.status);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const callback = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  const client = await createMCPClient({
    transport: { type: 'http', url, headers: { authorization: `Bearer ${token}` } },
    experimental_events: { store },
  } as never);
  const calls = client.experimental_events as unknown as MCPEvents;
  return {
    ...{ events, terminated, statuses, records },
    list: () => calls.list(),
    subscribe: (name: string, args: Record<string, string>, ttlMs?: number) =>
      calls.subscribe({
        name,
        arguments: args,
        delivery: { mode: 'webhook', url: callback, allowInsecureLocalhost: true },
        ...(ttlMs !== undefined && { ttlMs }),
      }),
    refresh: (id: string) => calls.refresh({ id }),
    unsubscribe: (id: string) => calls.unsubscribe({ id }),
    close: async () => {
      await client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A client of the official SDK. @param mode its era: `auto` for the latest that the server has, `legacy` for `initialize` */
export async function openClient(url: string, token: string | null, mode: 'auto' | 'legacy') {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    {
      versionNegotiation: { mode },
    },
  );
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  );
  const anything = z.looseObject({});
  return {
    capabilities: () => client.getServerCapabilities(),
    call: (method: string, params: object) =>
      client.request({ method, params } as never, anything as never) as Promise<
        Record<string, unknown>
      >,
    close: () => client.close(),
  };
}
