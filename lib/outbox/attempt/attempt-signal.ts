import { type Attempt, OWN_ERRORS } from '../../delivery/index.js';
import type { FormatRules } from '../../message/index.js';
import type { BreakerSignal } from '../wait/circuit-breaker.js';

/** The attempt says nothing about the endpoint. */
export const NEUTRAL: BreakerSignal = { kind: 'neutral' };

const SUCCESS: BreakerSignal = { kind: 'success' };

/** Answers by which an endpoint asks to be left alone for a while. */
const ASKS_FOR_PAUSE: ReadonlySet<number | null> = new Set([429, 502, 503, 504]);

/** What an attempt says about its host. A host that answers is well, even if it refuses the request: 404 is about one path. */
export function signalOf(
  { status, error, retryAfter }: Attempt,
  { pausesHost = true }: FormatRules,
): BreakerSignal {
  if (pausesHost && ASKS_FOR_PAUSE.has(status)) return { kind: 'pause', retryAfter };
  if (status !== null) return SUCCESS;
  const isOfHost = error?.code !== 'recipient-refused' && error?.code !== 'oauth-token';
  if (!isOfHost || OWN_ERRORS.has(error?.code)) return NEUTRAL;
  return { kind: 'failure' };
}
