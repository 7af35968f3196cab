import { isObject } from '../common/objects.js';
import { invalidParams, McpEventsError } from './mcp-events.error.js';
import type { McpArguments } from './offered-event.js';

/** The parameters of a request, whose types are not known. */
export type Params = Readonly<Record<string, unknown>>;

/** The event that a request is about. */
export interface EventParams {
  readonly name: string;
  readonly args: McpArguments;
}

/** The subscription that a request is about. */
export interface SubscriptionParams extends EventParams {
  readonly url: string;
}

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const [MIN_KEY_BYTES, MAX_KEY_BYTES] = [24, 64];

/** @throws {@link McpEventsError} unless the parameters are an object or left out */
export function readParams(params: unknown = {}): Params {
  if (isObject(params)) return params;
  throw invalidParams(['params'], 'must be an object');
}

/** Reads the event and its arguments. @throws {@link McpEventsError} naming the malformed parameter */
export function readEvent({ name, arguments: args = {} }: Params): EventParams {
  if (typeof name !== 'string') throw invalidParams(['name'], 'must be the name of an event');
  if (!isObject(args)) throw invalidParams(['arguments'], 'must be an object');
  return { name, args };
}

/** Reads the parameters that identify a subscription. @throws {@link McpEventsError} naming the malformed parameter */
export function readSubscription(params: Params): SubscriptionParams {
  const { url } = deliveryOf(params);
  if (typeof url !== 'string') throw invalidParams(['delivery.url'], 'must be a text');
  return { ...readEvent(params), url };
}

/** Reads a whole number from 0, or null. @throws {@link McpEventsError} for another value */
export function readWhole(params: Params, name: string): number | null | undefined {
  const value = params[name];
  if (value === undefined || value === null) return value;
  if (Number.isInteger(value) && Number(value) >= 0) return Number(value);
  throw invalidParams([name], 'must be a whole number of at least 0, or null');
}

/** Reads a cursor. @throws {@link McpEventsError} for another value than a text or null */
export function readCursor({ cursor = null }: Params): string | null {
  if (cursor === null || typeof cursor === 'string') return cursor;
  throw invalidParams(['cursor'], 'must be a text or null');
}

/**
 * Reads the secret, after checking the mode of the delivery and the scheme of its URL. The recipient policy judges the
 * rest of the URL, and whether http to this machine is allowed.
 *
 * @throws {@link McpEventsError} naming the refused parameter; the error does not contain the secret
 */
export function readSecret(params: Params): string {
  const { mode = 'webhook', url, secret } = deliveryOf(params);
  if (mode !== 'webhook') {
    const value = typeof mode === 'string' ? mode.slice(0, 64) : null;
    const data = { feature: 'deliveryMode', value };
    throw new McpEventsError('Unsupported', 'Only webhooks are supported', data);
  }
  if (!isSecure(String(url))) throw invalidParams(['delivery.url'], 'must be an https URL');
  const encoded = typeof secret === 'string' ? SECRET.exec(secret)?.[1] : undefined;
  const key = Buffer.from(encoded ?? '', 'base64');
  const isLong = key.length >= MIN_KEY_BYTES && key.length <= MAX_KEY_BYTES;
  if (isLong && key.toString('base64') === encoded) return String(secret);
  throw invalidParams(
    ['delivery.secret'],
    `must be whsec_ and the padded base64 of ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes`,
  );
}

function deliveryOf({ delivery }: Params): Params {
  if (isObject(delivery)) return delivery;
  throw invalidParams(['delivery'], 'must be an object');
}

function isSecure(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLocal);
}
