import { Reflector } from '@nestjs/core';
import { ThornConfigurationError } from '../../errors/index.js';

/** Names the receiver that verifies the requests of a controller or a route. */
export const ReceiverName = Reflector.createDecorator<string>();

type Target = Parameters<Reflector['get']>[1];

/** Returns the name on the route, else on its controller. */
export function receiverNameOf(reflector: Reflector, route: Target, controller: Target): string {
  const name = findReceiverName(reflector, route, controller);
  if (name !== undefined) return name;
  throw new ThornConfigurationError(
    'THORN_RECEIVER_ROUTE_INVALID',
    'WebhookReceiverGuard is used without a name. Write @WebhookReceiver(name) instead.',
  );
}

/** Like {@link receiverNameOf}, undefined when neither has one. */
export function findReceiverName(
  reflector: Reflector,
  route: Target,
  controller: Target,
): string | undefined {
  return reflector.getAllAndOverride(ReceiverName, [route, controller]);
}
