import {
  createParamDecorator,
  type ExecutionContext,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { ThornConfigurationError } from '../../errors/index.js';
import { webhookOf } from './incoming-request.js';
import type { VerifiedWebhook } from '../verification/verified-webhook.js';

/**
 * The verified webhook of the request, or one of its properties. Pipes may follow.
 *
 * @example
 * ```ts
 * receive(@Webhook() webhook: VerifiedWebhook<Order>) { … }
 * receive(@Webhook('payload', new ValidationPipe({ validateCustomDecorators: true })) order: OrderDto) { … }
 * ```
 */
// Written out: the inferred type names a type that only Nest 12 has.
export const Webhook: (
  ...propertyAndPipes: (keyof VerifiedWebhook | PipeTransform | Type<PipeTransform>)[]
) => ParameterDecorator = createParamDecorator(
  (property: keyof VerifiedWebhook | undefined, context: ExecutionContext): unknown => {
    const webhook = webhookOf(context);
    if (webhook === undefined) {
      throw new ThornConfigurationError(
        'THORN_RECEIVER_ROUTE_INVALID',
        '@Webhook() found no verified webhook. Write @WebhookReceiver(name) on the route or its controller.',
      );
    }
    return property === undefined ? webhook : webhook[property];
  },
);
