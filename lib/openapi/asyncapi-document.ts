import { OptionChecks } from '../common/option-checks.js';
import {
  type CatalogueDocumentOptions,
  type CatalogueSource,
  describeWebhooks,
} from './event-descriptions.js';
import { SIGNATURE_DESCRIPTION, type WebhookHeader, webhookHeaders } from './webhook-headers.js';

/** Options of {@link thornAsyncApi}. */
export interface AsyncApiOptions extends CatalogueDocumentOptions {
  /** Name of the application. */
  readonly title: string;
  /** Version of the application's events. */
  readonly version: string;
  /** Text about the application. */
  readonly description?: string;
}

/** An AsyncAPI 3.0 document, ready for `JSON.stringify`. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly channels: Readonly<Record<string, unknown>>;
  readonly operations: Readonly<Record<string, unknown>>;
  readonly components: { readonly messages: Readonly<Record<string, unknown>> } & Readonly<
    Record<string, unknown>
  >;
  readonly [more: string]: unknown;
}

/**
 * Makes an AsyncAPI 3.0 document with the same contents as {@link thornOpenApiWebhooks}: one channel, which stands for
 * the URLs of subscribers, and one message for each event that may be subscribed to.
 *
 * @example
 * ```ts
 * writeFileSync('asyncapi.json', JSON.stringify(thornAsyncApi(app, { title: 'Shop', version: '1.0' })));
 * ```
 * @throws {@link ThornConfigurationError} when there is no catalogue, title or version
 */
export function thornAsyncApi(source: CatalogueSource, options: AsyncApiOptions): AsyncApiDocument {
  const { title, version, description } = options;
  const check = new OptionChecks('thornAsyncApi()');
  for (const [name, value] of Object.entries({ title, version })) {
    check.assert(name, typeof value === 'string' && value !== '', 'must be a text');
  }
  const described = describeWebhooks(source, options);
  const events = described.events.map((event) => ({ ...event, key: keyOf(event.name) }));
  const messages = events.map((event) => {
    const { schema, example } = event.body;
    return [
      event.key,
      {
        name: event.name,
        title: event.name,
        ...(event.description === null ? {} : { description: event.description }),
        contentType: 'application/json',
        traits: [{ $ref: '#/components/messageTraits/webhook' }],
        // AsyncAPI marks no message as deprecated, so its JSON Schema says it.
        payload: event.deprecated ? { ...schema, deprecated: true } : schema,
        ...(example === undefined ? {} : { examples: [{ payload: example }] }),
      },
    ] as const;
  });
  return {
    asyncapi: '3.0.0',
    info: {
      title,
      version,
      description: [description ?? '', SIGNATURE_DESCRIPTION].join('\n\n').trim(),
    },
    defaultContentType: 'application/json',
    channels: {
      subscribers: {
        address: null,
        description: 'The URLs of subscribers.',
        messages: Object.fromEntries(
          events.map(({ key }) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
      },
    },
    operations: {
      deliver: {
        action: 'send',
        channel: { $ref: '#/channels/subscribers' },
        bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
      },
    },
    components: {
      messages: Object.fromEntries(messages),
      messageTraits: { webhook: { headers: headersSchema(webhookHeaders(described.format)) } },
    },
  };
}

function headersSchema(headers: readonly WebhookHeader[]) {
  return {
    type: 'object',
    properties: Object.fromEntries(
      headers.map(({ name, description, schema }) => [name, { ...schema, description }]),
    ),
    required: headers.filter(({ required }) => required).map(({ name }) => name),
  };
}

/** Replaces the characters that a component's key cannot have, braces among them. */
function keyOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}
