import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';
import { compileEventName } from '../event/index.js';
import {
  type FormatInput,
  type FormatRules,
  type FormattedRequest,
  WebhookFormat,
} from '../message/index.js';
import { patternMatches } from '../subscriber/index.js';

/** The header that tells a client which of its subscriptions a request belongs to. */
export const SUBSCRIPTION_HEADER = 'X-MCP-Subscription-Id';
/** The name of the format, as subscribers have it. */
export const MCP_FORMAT = 'mcp';

type Marked = Pick<FormatInput['subscriber'], 'id' | 'metadata'>;

/** The metadata of a subscriber: the event as declared, since clients know no other name, and the subscription's id. */
export function metadataOf(event: string, subscription: string): Readonly<Record<string, string>> {
  return { mcpEvent: event, mcpSubscription: subscription };
}

/** The id of a subscription, as its client knows it. */
export function subscriptionOf({ id, metadata: { mcpSubscription = id } }: Marked): string {
  return mcpSubscription;
}

/** The form of requests that MCP Events describes. */
export class McpFormat extends WebhookFormat {
  override readonly rules: FormatRules = {
    retries: [30_000, 120_000, 600_000],
    maxBytes: 256 * 1024,
    endsDelivery: [410, 413],
    // All agents of a vendor are one host.
    pausesHost: false,
  };

  override request({ id, event, timestamp, data, subscriber }: FormatInput): FormattedRequest {
    if (!isObject(data)) throw new InvalidInputError('data', 'must be an object for MCP clients');
    const { mcpEvent: name = event } = subscriber.metadata;
    if (!patternMatches(compileEventName(name).pattern, event)) {
      throw new InvalidInputError('event', `must be ${name}, as MCP clients know no other`);
    }
    return {
      body: JSON.stringify({ eventId: id, name, timestamp, data }),
      headers: { [SUBSCRIPTION_HEADER]: subscriptionOf(subscriber) },
    };
  }
}
