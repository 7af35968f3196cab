import { Reflector } from '@nestjs/core';

/** Names the receiver that verifies the requests of a controller or a route. */
export const ReceiverName = Reflector.createDecorator<string>();

type Target = Parameters<Reflector['get']>[1];

/** Returns the name on the route, else on its controller; undefined when neither has one. */
export function findReceiverName(
  reflector: Reflector,
  route: Target,
  controller: Target,
): string | undefined {
  return reflector.getAllAndOverride(ReceiverName, [route, controller]);
}
