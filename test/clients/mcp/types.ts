import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer } from '@modelcontextprotocol/server';
import { McpStrategy } from '@rekog/mcp-nest';
import type { McpEvents, McpEventsOptions } from 'nestjs-thorn/mcp';

export function attachAll(events: McpEvents): readonly object[] {
  const info = { name: 'shop', version: '1.0.0' };
  return [
    events.attach(new McpServer(info)),
    events.attach(new McpServer1(info)),
    new McpStrategy({ ...info, transports: [], serverMutator: (server) => events.attach(server) }),
    // @ts-expect-error the server below, which has no capabilities of its own
    events.attach(new McpServer(info).server),
  ];
}

export const options: McpEventsOptions = {
  principal: ({ http }) => http?.req?.headers.get('x-user') ?? null,
};
