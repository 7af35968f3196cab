import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { McpEvents, McpEventsError } from 'nestjs-thorn/mcp';
import { BearerGuard, CurrentUser } from '../users/bearer.guard.js';
import type { User } from '../users/user.entity.js';

interface RpcRequest {
  readonly id?: string | number;
  readonly method: string;
  readonly params?: object;
}

/** An MCP server that has events alone. With an SDK, which has tools as well, `McpEvents.attach()` does this. */
@ApiExcludeController()
@Controller('mcp')
@UseGuards(BearerGuard)
export class McpController {
  constructor(private readonly events: McpEvents) {}

  @Post()
  @HttpCode(200)
  async answer(@Body() { id, method, params }: RpcRequest, @CurrentUser() user: User) {
    try {
      return { jsonrpc: '2.0', id, result: await this.#resultOf(method, params, user) };
    } catch (error) {
      if (!(error instanceof McpEventsError)) throw error;
      return { jsonrpc: '2.0', id, error: error.jsonRpc };
    }
  }

  async #resultOf(method: string, params: object | undefined, user: User) {
    if (method !== 'server/discover') {
      return this.events.handle(method, params, { principal: user.id });
    }
    const { capabilities } = this.events;
    return { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities };
  }
}
