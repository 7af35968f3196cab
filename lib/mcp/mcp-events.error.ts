import { ThornError } from '../errors/index.js';

/** Which error numbers are used: those of the design sketch, which most clients know, or those of SEP-3415. */
export type McpErrorCodes = 'sketch' | 'sep';

/** The words for why an endpoint cannot be used. */
export type CallbackFailure =
  'connection_refused' | 'timeout' | 'tls_error' | 'http_4xx' | 'http_5xx' | 'challenge_failed';

/** The kinds of refusals that MCP Events names. */
export type McpErrorKind =
  | 'MethodNotFound'
  | 'InvalidParams'
  | 'NotFound'
  | 'Forbidden'
  | 'ResourceExhausted'
  | 'Unsupported'
  | 'CallbackEndpointError';

/** For each error, its number in the sketch and in the SEP. */
const CODES = {
  MethodNotFound: [-32601, -32601],
  InvalidParams: [-32602, -32602],
  NotFound: [-32011, -32023],
  Forbidden: [-32012, -32024],
  ResourceExhausted: [-32013, -32025],
  Unsupported: [-32014, -32026],
  CallbackEndpointError: [-32015, -32027],
} as const satisfies Record<McpErrorKind, readonly [number, number]>;

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

  /** The `error` of a JSON-RPC response. */
  get jsonRpc(): { readonly code: number; readonly message: string } & Pick<ThornError, 'data'> {
    const [sketch, sep] = CODES[this.kind];
    return { code: this.codes === 'sep' ? sep : sketch, message: this.message, data: this.data };
  }
}

/** Creates the error for refused parameters. @param fields their names, such as `delivery.url` */
export function invalidParams(fields: readonly string[], reason: string): McpEventsError {
  return new McpEventsError('InvalidParams', `${fields.join(', ')} ${reason}`, { fields });
}

/** Creates the refusal of an endpoint, which holds nothing that the endpoint answered. */
export function callbackRefused(reason: CallbackFailure): McpEventsError {
  return new McpEventsError('CallbackEndpointError', 'The endpoint cannot be used', { reason });
}
