/**
 * MCP Events: agents subscribe to events through the MCP server of the application.
 *
 * @module nestjs-thorn/mcp
 */
export type {
  McpEventsOptions,
  McpAuthInfo,
  McpContext,
  McpRequest,
  McpServerLike,
} from './mcp-events-options.js';
export { McpEvents } from './mcp-events.js';
export { type McpErrorCodes, type McpErrorKind, McpEventsError } from './mcp-events.error.js';
export { McpEventsModule } from './mcp-events.module.js';
export type { McpArguments } from './offered-event.js';
export { ThornConfigurationError, ThornError } from '../errors/index.js';
