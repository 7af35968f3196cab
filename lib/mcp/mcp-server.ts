/** The proof of who calls, as the guard or middleware that set `req.auth` has left it. */
export interface McpAuthInfo {
  readonly clientId?: string;
  readonly scopes?: readonly string[];
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The second argument of an SDK's handlers: `authInfo` is of `@modelcontextprotocol/sdk` 1, `http` of `server` 2. */
export interface McpContext {
  readonly authInfo?: McpAuthInfo | undefined;
  readonly http?:
    { readonly authInfo?: McpAuthInfo | undefined; readonly req?: Request | undefined } | undefined;
}

/** A request as an SDK gives it to handlers. */
export interface McpRequest {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** The part of an SDK's `McpServer` that events need; those of both majors fit. */
export interface McpServerLike {
  readonly server: {
    /** The handler of methods without one of their own, which the SDK leaves to its users. */
    fallbackRequestHandler?(request: McpRequest, context: McpContext): Promise<object>;
    registerCapabilities(capabilities: object): void;
  };
}
