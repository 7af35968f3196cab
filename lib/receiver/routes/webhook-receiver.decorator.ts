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
import type { VerifiedWebhook } from './webhook-verifier.js';

/**
 * Verifies the requests of a route, or of all routes of a controller, before the handler runs. The handler runs once
 * for each message. On a route, the decorator overrides the one on its controller.
 *
 * A request that cannot be verified gets a 401, whatever the reason. When a processed message comes again, the handler
 * does not run, and the sender gets the route's usual status. When a message comes again while it is being handled, the
 * sender gets a 409.
 *
 * @param name a key of the module's `receivers`; an unknown name fails at start-up
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
