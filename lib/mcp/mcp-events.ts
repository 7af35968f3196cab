import { Logger } from '@nestjs/common';
import { type Clock, errorText } from '../common/index.js';
import type { EventHistory } from '../dispatch/index.js';
import { InvalidInputError } from '../errors/index.js';
import type { EventCatalogue } from '../event/index.js';
import { poll } from './event-poll.js';
import { invalidParams, McpEventsError } from './mcp-events.error.js';
import {
  type McpSettings,
  TTL,
  type McpContext,
  type McpRequest,
  type McpServerLike,
} from './mcp-events-options.js';
import type { McpSubscriptions } from './mcp-subscriptions.js';
import { OfferedEvent } from './offered-event.js';
import {
  type EventParams,
  type Params,
  readCursor,
  readEvent,
  readParams,
  readSecret,
  readSubscription,
  readWhole,
} from './subscription-params.js';

/** Events on one page of `events/list`. */
const PAGE = 50;
const MAX_PRINCIPAL_LENGTH = 255;

type Result = Readonly<Record<string, unknown>>;

/**
 * Serves MCP Events: lets agents subscribe to the events of the application through its MCP server.
 */
export class McpEvents {
  /** The capabilities of a server that passes `events/…` on to {@link handle}; {@link attach} declares them. */
  readonly capabilities: object = {
    events: {},
    extensions: { 'io.modelcontextprotocol/events': {} },
  };
  readonly #logger = new Logger('Thorn');
  #offered: ReadonlyMap<string, OfferedEvent> | undefined;

  /** @internal */
  constructor(
    private readonly catalogue: EventCatalogue,
    private readonly subscriptions: McpSubscriptions,
    private readonly history: EventHistory,
    private readonly clock: Clock,
    private readonly settings: McpSettings,
  ) {}

  /**
   * Adds events to an `McpServer` of `@modelcontextprotocol/server` 2 or `@modelcontextprotocol/sdk` 1, before it is
   * connected. If the server has a handler for unknown methods, it still gets all other methods.
   *
   * @example
   * ```ts
   * new McpStrategy({ …, serverMutator: (server) => app.get(McpEvents).attach(server) });
   * ```
   * @returns the server
   */
  attach<Server extends McpServerLike>(server: Server): Server {
    const { server: inner } = server;
    const previous = inner.fallbackRequestHandler?.bind(inner);
    inner.registerCapabilities(this.capabilities);
    inner.fallbackRequestHandler = async (request: McpRequest, context: McpContext) => {
      if (request.method.startsWith('events/')) return this.#answer(request, context);
      if (previous !== undefined) return previous(request, context);
      throw rpcError({ code: -32601, message: 'Method not found' });
    };
    return server;
  }

  /**
   * Answers one request, for servers that {@link attach} does not know.
   *
   * @param method `events/list`, `events/subscribe`, `events/unsubscribe`, and with a history `events/poll`
   * @param params the `params` of the request, unchecked
   * @param caller the authenticated user; null means that nobody is authenticated, and the request is refused
   * @returns the `result` of the response
   * @throws {@link McpEventsError} whose `jsonRpc` is the `error` of the response
   */
  async handle(
    method: string,
    params: unknown,
    caller: { readonly principal: string | null | undefined },
  ): Promise<Result> {
    try {
      return { resultType: 'complete', ...(await this.#handle(method, params, caller.principal)) };
    } catch (error) {
      const refusal = error instanceof InvalidInputError ? refusalOf(error) : error;
      if (!(refusal instanceof McpEventsError)) throw refusal;
      const { kind, message, data } = refusal;
      throw new McpEventsError(kind, message, data, this.settings.errorCodes);
    }
  }

  /**
   * Ends all subscriptions of a principal, and tells their endpoints once. Let `authorize` refuse the principal before:
   * clients may subscribe again.
   *
   * @returns the number of subscriptions that were ended
   */
  async revoke(principal: string): Promise<number> {
    const owner = await this.settings.owner(principal);
    if (owner === null) return 0;
    const { errorCodes } = this.settings;
    const { jsonRpc } = new McpEventsError('Forbidden', 'No longer allowed', {}, errorCodes);
    return this.subscriptions.endAll({ principal, owner }, jsonRpc);
  }

  async #answer({ method, params }: McpRequest, context: McpContext): Promise<Result> {
    try {
      const principal = await this.settings.principal(context);
      return await this.handle(method, params, { principal });
    } catch (error) {
      if (error instanceof McpEventsError) throw rpcError(error.jsonRpc);
      this.#logger.error(`${method} failed: ${errorText(error)}`);
      throw rpcError({ code: -32603, message: 'Internal error' });
    }
  }

  async #handle(method: string, given: unknown, principal: unknown): Promise<Result> {
    const isText = typeof principal === 'string' && principal !== '';
    if (!isText || principal.length > MAX_PRINCIPAL_LENGTH) {
      throw new McpEventsError('Forbidden', 'The request is not authenticated');
    }
    const params = readParams(given);
    switch (method) {
      case 'events/list':
        return this.#list(params, principal);
      case 'events/subscribe':
        return this.#subscribe(params, principal);
      case 'events/unsubscribe':
        return this.#unsubscribe(params, principal);
      case 'events/poll':
        if (this.history.isKept) return this.#poll(params, principal);
    }
    throw new McpEventsError('MethodNotFound', `${method.slice(0, 100)} is not a method`);
  }

  async #list(params: Params, principal: string): Promise<Result> {
    const cursor = readCursor(params);
    const visible: OfferedEvent[] = [];
    for (const event of this.#events().values()) {
      if (await this.settings.authorize(principal, event.name, null)) visible.push(event);
    }
    const from = cursor === null ? 0 : visible.findIndex((event) => cursorOf(event) === cursor);
    if (from === -1) throw invalidParams(['cursor'], 'must be the nextCursor of an earlier page');
    const delivery = this.history.isKept ? ['webhook', 'poll'] : ['webhook'];
    const page = visible.slice(from, from + PAGE);
    const events = page.map(({ name, description, inputSchema, payloadSchema }) => {
      const described = { name, ...(description !== undefined && { description }) };
      return { ...described, delivery, inputSchema, payloadSchema };
    });
    const next = visible[from + PAGE];
    return { events, ...(next !== undefined && { nextCursor: cursorOf(next) }) };
  }

  async #subscribe(params: Params, principal: string): Promise<Result> {
    const asked = readSubscription(params);
    const wish = readWhole(params, 'ttlMs');
    readWhole(params, 'maxAgeMs');
    readCursor(params);
    const owner = await this.#ownerOf(principal);
    const authorize = () =>
      this.#authorized(asked, principal).catch(async (error: unknown) => {
        // Refreshing a subscription that is no longer allowed ends it.
        if (error instanceof McpEventsError) {
          await this.subscriptions.remove({ ...asked, principal, owner });
        }
        throw error;
      });
    const event = await authorize();
    const selection = event.select(asked.args);
    const secret = readSecret(params);
    const ttl = wish === undefined ? this.settings.ttl : (wish ?? TTL.max);
    const { id, expiresAt } = await this.subscriptions.put(
      { ...asked, ...selection, principal, owner, secret },
      Math.min(Math.max(ttl, TTL.min), TTL.max),
    );
    // Another process may have revoked the principal while the endpoint was asked.
    await authorize();
    // Nothing is replayed: deliveries begin now, and the cursor is ignored.
    return { id, refreshBefore: expiresAt.toISOString(), cursor: null, truncated: false };
  }

  async #unsubscribe(params: Params, principal: string): Promise<Result> {
    const asked = readSubscription(params);
    const owner = await this.#ownerOf(principal);
    await this.subscriptions.remove({ ...asked, principal, owner });
    return {};
  }

  async #poll(params: Params, principal: string): Promise<Result> {
    const asked = readEvent(params);
    const event = await this.#authorized(asked, principal);
    const selection = event.select(asked.args);
    const reader = { owner: await this.#ownerOf(principal), now: this.clock.now() };
    return poll(this.history, params, event, selection, reader);
  }

  async #authorized({ name, args }: EventParams, principal: string): Promise<OfferedEvent> {
    const event = this.#events().get(name);
    if (event === undefined || !(await this.settings.authorize(principal, name, null))) {
      throw new McpEventsError('NotFound', 'There is no such event', { kind: 'event' });
    }
    if (await this.settings.authorize(principal, name, args)) return event;
    throw new McpEventsError('Forbidden', 'Not allowed for this event with these arguments');
  }

  async #ownerOf(principal: string): Promise<string> {
    const owner = await this.settings.owner(principal);
    if (typeof owner === 'string' && owner !== '') return owner;
    throw new McpEventsError('Forbidden', 'The principal has no owner');
  }

  /** Made when they are asked for first: by then every event is declared. */
  #events(): ReadonlyMap<string, OfferedEvent> {
    return (this.#offered ??= OfferedEvent.allOf(this.catalogue));
  }
}

function cursorOf({ name }: OfferedEvent): string {
  return Buffer.from(name).toString('base64url');
}

/** Names the field of a subscriber that was refused as the client knows it. */
function refusalOf({ field, reason }: InvalidInputError): McpEventsError {
  return field === 'url'
    ? invalidParams(['delivery.url'], reason)
    : invalidParams(['arguments'], `cannot be subscribed to: ${field} ${reason}`);
}

/** Creates an error as an SDK sends it: with its `code` and `data`. */
function rpcError(error: { readonly code: number; readonly message: string }): Error {
  return Object.assign(new Error(error.message), error);
}
