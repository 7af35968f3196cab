import { ThornError } from '../errors/index.js';

/** The numbers of errors: those of the design sketch, which most clients know, or those of SEP-3415. */
export type McpErrorCodes = 'sketch' | 'sep';

/** The kinds of refusals that MCP Events names. */
export type McpErrorKind =
  | 'MethodNotFound'
  | 'InvalidParams'
  | 'NotFound'
  | 'Forbidden'
  | 'ResourceExhausted'
  | 'Unsupported'
  | 'CallbackEndpointError';

/** The words for why an endpoint cannot be used. */
export type CallbackFailure =
  'connection_refused' | 'timeout' | 'tls_error' | 'http_4xx' | 'http_5xx' | 'challenge_failed';

const CODES: Readonly<Record<McpErrorKind, Readonly<Record<McpErrorCodes, number>>>> = {
  MethodNotFound: { sketch: -32601, sep: -32601 },
  InvalidParams: { sketch: -32602, sep: -32602 },
  NotFound: { sketch: -32011, sep: -32023 },
  Forbidden: { sketch: -32012, sep: -32024 },
  ResourceExhausted: { sketch: -32013, sep: -32025 },
  Unsupported: { sketch: -32014, sep: -32026 },
  CallbackEndpointError: { sketch: -32015, sep: -32027 },
};

/** Thrown when a request of MCP Events is refused: nothing was stored. */
export class McpEventsError extends ThornError {
  readonly code = 'THORN_MCP_REFUSED';

  /** @internal */
  constructor(
    readonly kind: McpErrorKind,
    message: string,
    data: ThornError['data'] = {},
    private readonly codes: McpErrorCodes = 'sketch',
  ) {
    super(message, data);
  }

  /**
   * @param reason why an endpoint cannot be used; nothing that the endpoint answered
   * @internal
   */
  static ofCallback(reason: CallbackFailure): McpEventsError {
    return new McpEventsError('CallbackEndpointError', 'The endpoint cannot be used', { reason });
  }

  /** The `error` of a JSON-RPC response. */
  get jsonRpc(): {
    readonly code: number;
    readonly message: string;
    readonly data: ThornError['data'];
  } {
    return { code: codeOf(this.kind, this.codes), message: this.message, data: this.data };
  }

  /**
   * Returns the same refusal with the numbers of `codes`.
   *
   * @internal
   */
  numbered(codes: McpErrorCodes): McpEventsError {
    return new McpEventsError(this.kind, this.message, this.data, codes);
  }
}

/** Returns the number of a kind of refusal. */
export function codeOf(kind: McpErrorKind, codes: McpErrorCodes): number {
  return CODES[kind][codes];
}

/** Creates the refusal of parameters. @param fields their names, such as `delivery.url` */
export function invalidParams(fields: readonly string[], reason: string): McpEventsError {
  return new McpEventsError('InvalidParams', `${fields.join(', ')} ${reason}`, { fields });
}
