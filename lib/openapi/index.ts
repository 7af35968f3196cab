/**
 * Documents that describe the events.
 *
 * @module nestjs-thorn/openapi
 */
export { type AsyncApiDocument, type AsyncApiOptions, thornAsyncApi } from './asyncapi-document.js';
export type { JsonSchema } from '../event/index.js';
export type {
  CatalogueDocumentOptions,
  CatalogueSource,
  DescribedEvent,
} from './event-descriptions.js';
export {
  type OpenApiHeader,
  type OpenApiWebhook,
  type OpenApiWebhooksOptions,
  thornOpenApiWebhooks,
} from './openapi-webhooks.js';
export { webhookTypes } from './webhook-types.js';
export { InvalidInputError, ThornConfigurationError, ThornError } from '../errors/index.js';
