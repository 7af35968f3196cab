import type { JsonSchema } from '../event/index.js';
import type { WireFormat } from '../message/index.js';

export interface WebhookHeader {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

/** Instructions for the verification of a signature, in Markdown. */
export const SIGNATURE_DESCRIPTION = [
  'Requests are signed as Standard Webhooks describes it: `webhook-signature` holds one or more signatures with blanks',
  'between them, and one that fits is enough. `v1,` is followed by the base64 of the HMAC-SHA256 of',
  '`{webhook-id}.{webhook-timestamp}.{body}`, the body byte by byte as it came. Its key is the secret of the',
  'subscription: after `whsec_` the base64 of the key, any other secret is the key itself. `v1a,` is an ed25519 signature',
  'of the same bytes. Refuse what is more than five minutes off, and remember `webhook-id`: deliveries may come twice.',
].join('\n');

const HEADERS: readonly WebhookHeader[] = [
  {
    name: 'webhook-id',
    description: 'Id of the message; the same on every attempt.',
    required: true,
    schema: { type: 'string' },
  },
  {
    name: 'webhook-timestamp',
    description: 'When this attempt was signed, in seconds since the Unix epoch.',
    required: true,
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  {
    name: 'webhook-signature',
    description: 'Signatures with blanks between them, each `v1,<base64>` or `v1a,<base64>`.',
    required: true,
    schema: { type: 'string' },
  },
  {
    name: 'Hook-Event',
    description: 'Name of the event.',
    required: true,
    schema: { type: 'string' },
  },
  {
    name: 'Hook-Delivery',
    description: 'Id of the delivery; the same on every attempt.',
    required: true,
    schema: { type: 'string' },
  },
  {
    name: 'Hook-Subscription',
    description: 'Id of the subscription.',
    required: true,
    schema: { type: 'string' },
  },
  {
    name: 'Hook-Key',
    description:
      'The key of a message that has an order, percent-encoded where it is not printable ASCII.',
    required: false,
    schema: { type: 'string' },
  },
  {
    name: 'Hook-Sequence',
    description:
      'The number of the message among those of its key. What has a smaller number happened before.',
    required: false,
    schema: { type: 'integer', minimum: 1 },
  },
  {
    name: 'Hook-Unsubscribe',
    description: 'Where to unsubscribe with an empty POST, if the application lets its receivers.',
    required: false,
    schema: { type: 'string', format: 'uri' },
  },
];

const HOOK_HMAC: WebhookHeader = {
  name: 'Hook-HMAC',
  description: "Base64 of the body's HMAC with the secret, in the subscription's digest.",
  required: false,
  schema: { type: 'string' },
};

export function webhookHeaders({ hookHmac }: WireFormat): readonly WebhookHeader[] {
  return hookHmac ? [...HEADERS, HOOK_HMAC] : HEADERS;
}
