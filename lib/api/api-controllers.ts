import type { Type } from '@nestjs/common';
import { actionsController } from './subscribers/subscriber-actions.controller.js';
import type { ApiSettings } from './options/api-options.js';
import { deliveryReportsController } from './deliveries/delivery-reports.controller.js';
import { deliveriesController } from './deliveries/deliveries.controller.js';
import { eventTypesController } from './catalogue/event-types.controller.js';
import { jwksController } from './catalogue/jwks.controller.js';
import { historyController } from './history/history.controller.js';
import { PublicController } from './http/controller.decorators.js';
import { problemsController } from './catalogue/problems.controller.js';
import { subscribersController } from './subscribers/subscribers.controller.js';
import { subscriptionController } from './self-service/subscription.controller.js';
import { unsubscribeController } from './self-service/unsubscribe.controller.js';

/**
 * Makes the controllers of the REST API, in the order in which they are registered: paths with words of their own before
 * those that take any id. Every application gets classes of its own, since path and guards are the class's decorators.
 */
export function apiControllers(settings: ApiSettings): readonly Type<unknown>[] {
  return [
    jwksController(settings),
    ...(settings.problems ? [problemsController(PublicController(settings))] : []),
    unsubscribeController(settings),
    ...(settings.receivers ? [subscriptionController(settings)] : []),
    eventTypesController(settings),
    historyController(settings),
    deliveriesController(settings),
    deliveryReportsController(settings),
    actionsController(settings),
    subscribersController(settings),
  ];
}
