import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { RESPONSE_PASSTHROUGH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { ThornConfigurationError } from '../../errors/index.js';
import { findReceiverName } from './webhook-receiver.guard.js';
import { WebhookReceivers } from './webhook-receivers.js';

@Injectable()
export class ReceiverRouteCheck implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
    private readonly receivers: WebhookReceivers,
  ) {}

  /** @throws {@link ThornConfigurationError} naming the route and the fix */
  onModuleInit(): void {
    for (const { metatype } of this.discovery.getControllers()) {
      if (typeof metatype === 'function') this.#check(metatype as Type<object>);
    }
  }

  #check(controller: Type<object>): void {
    const prototype = controller.prototype as Record<string, () => unknown>;
    // Also the controller itself, which may not have a route yet.
    this.#checkName(controller.name, findReceiverName(this.reflector, controller, controller));
    for (const method of this.scanner.getAllMethodNames(prototype)) {
      const route = `${controller.name}.${method}()`;
      const name = findReceiverName(this.reflector, prototype[method]!, controller);
      this.#checkName(route, name);
      if (name !== undefined && answersByHand(controller, method)) {
        throw new ThornConfigurationError(
          'THORN_RECEIVER_ROUTE_INVALID',
          `${route} takes the response with @Res() or @Next(), so that a repeated webhook would get no response. Write @Res({ passthrough: true }).`,
          { route },
        );
      }
    }
  }

  #checkName(place: string, name: string | undefined): void {
    const { names } = this.receivers;
    if (name === undefined || names.includes(name)) return;
    throw new ThornConfigurationError(
      'THORN_RECEIVER_ROUTE_INVALID',
      `@WebhookReceiver('${name}') on ${place} names an unknown receiver. Receivers of ThornReceiverModule: ${names.join(', ')}.`,
      { place, receiver: name },
    );
  }
}

function answersByHand(controller: Type<object>, method: string): boolean {
  if (Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, method) === true) return false;
  const parameters: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method);
  return Object.keys(parameters ?? {}).some((key) =>
    [RouteParamtypes.RESPONSE, RouteParamtypes.NEXT].includes(Number(key.split(':', 1)[0])),
  );
}
