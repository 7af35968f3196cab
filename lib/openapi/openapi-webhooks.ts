import {
  type CatalogueDocumentOptions,
  type CatalogueSource,
  type DescribedWebhooks,
  describeWebhooks,
} from './event-descriptions.js';
import { SIGNATURE_DESCRIPTION, type WebhookHeader, webhookHeaders } from './webhook-headers.js';

/** A header of an {@link OpenApiWebhook}. */
export interface OpenApiHeader {
  name: string;
  in: 'header';
  required: boolean;
  description: string;
  schema: Record<string, unknown>;
}

/** A path item of OpenAPI 3.1: the request that subscribers of one event get. */
export interface OpenApiWebhook {
  post: {
    operationId: string;
    summary: string;
    description: string;
    deprecated?: true;
    tags: string[];
    security: [];
    parameters: OpenApiHeader[];
    requestBody: {
      required: true;
      content: Record<string, { schema: Record<string, unknown>; example?: unknown }>;
    };
    responses: Record<string, { description: string }>;
  };
}

/** Options of {@link thornOpenApiWebhooks}. */
export interface OpenApiWebhooksOptions extends CatalogueDocumentOptions {
  /** Tags of the operations. Default `['Webhooks']`. */
  readonly tags?: readonly string[];
}

/**
 * Makes the `webhooks` of an OpenAPI 3.1 document: every event that may be subscribed to, with its headers, its
 * signature and the schema of its body. The schemas come from the classes or JSON Schemas in `defineEvents()`.
 *
 * The events of methods are known once the application is initialised: give @nestjs/swagger a function that makes the
 * document, which it calls with the first request.
 *
 * @example
 * ```ts
 * const config = new DocumentBuilder().setTitle('Shop').setVersion('1.0').setOpenAPIVersion('3.1.0').build();
 * SwaggerModule.setup('docs', app, () =>
 *   SwaggerModule.createDocument(app, { ...config, webhooks: thornOpenApiWebhooks(app) }));
 * ```
 * @throws {@link ThornConfigurationError} when there is no catalogue
 */
export function thornOpenApiWebhooks(
  source: CatalogueSource,
  options: OpenApiWebhooksOptions = {},
): Record<string, OpenApiWebhook> {
  const { events, format } = describeWebhooks(source, options);
  const headers = webhookHeaders(format);
  const { tags = ['Webhooks'] } = options;
  return Object.fromEntries(events.map((event) => [event.name, webhookOf(event, headers, tags)]));
}

function webhookOf(
  event: DescribedWebhooks['events'][number],
  headers: readonly WebhookHeader[],
  tags: readonly string[],
): OpenApiWebhook {
  const { schema, ...example } = event.body;
  const description = event.description === null ? '' : `${event.description}\n\n`;
  return {
    post: {
      operationId: `webhook_${event.name.replaceAll(/[^A-Za-z0-9]+/g, '_')}`,
      summary: event.name,
      description: description + SIGNATURE_DESCRIPTION,
      ...(event.deprecated && { deprecated: true }),
      tags: [...tags],
      // The security schemes of the document are for callers of the application, and not for its webhooks.
      security: [],
      parameters: headers.map((header) => ({
        ...header,
        in: 'header',
        schema: { ...header.schema },
      })),
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { ...schema }, ...example } },
      },
      responses: {
        '2XX': {
          description:
            'Received. Any other status counts as a failure, and the delivery is tried again.',
        },
        '410': { description: 'Gone: the subscription is disabled.' },
        '429': {
          description:
            'Too many requests: the next ones come later and slower. `Retry-After` is honoured.',
        },
      },
    },
  };
}
