import {
  applyDecorators,
  UseGuards,
  UseInterceptors,
  createParamDecorator,
  type ExecutionContext,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { ThornConfigurationError } from '../../errors/index.js';
import { ReceiverName, WebhookReceiverGuard } from './webhook-receiver.guard.js';
import { WebhookReceiverInterceptor } from './webhook-receiver.interceptor.js';
import { webhookOf } from './incoming-request.js';
import type { VerifiedWebhook } from '../verification/verified-webhook.js';

/**
 * Verifies the requests of a route, or of all routes of a controller, before the handler runs, and runs the handler of
 * each message once. On a route it overrides the decorator of its controller.
 *
 * A request that cannot be verified gets a 401, whatever the reason. A repetition of a processed message gets the
 * route's own status without the handler; one that comes while another try is being handled gets a 409.
 *
 * @param name a key of the module's `receivers`; one that is unknown fails at start-up
 *
 * @example
 * ```ts
 * @Post('webhooks/store')
 * @WebhookReceiver('store')
 * async receive(@Webhook() { event, payload }: VerifiedWebhook<Order>) { … }
 * ```
 */
export function WebhookReceiver(name: string): ClassDecorator & MethodDecorator {
  if (typeof name !== 'string' || name === '') {
    throw new ThornConfigurationError(
      'THORN_RECEIVER_ROUTE_INVALID',
      "@WebhookReceiver() needs the name of a receiver, for example @WebhookReceiver('store').",
    );
  }
  return applyDecorators(
    ReceiverName(name),
    UseGuards(WebhookReceiverGuard),
    UseInterceptors(WebhookReceiverInterceptor),
  );
}

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
