import type { Type } from '@nestjs/common';
import { ThornEventTypesController } from './catalogue/event-types.controller.js';
import { ThornJwksController } from './catalogue/jwks.controller.js';
import { ThornProblemsController } from './catalogue/problems.controller.js';
import { ThornDeliveriesController } from './deliveries/deliveries.controller.js';
import { ThornDeliveryReportsController } from './deliveries/delivery-reports.controller.js';
import { ThornHistoryController } from './history/history.controller.js';
import { IdempotencyInterceptor } from './http/idempotency.interceptor.js';
import { JsonBodyGuard } from './http/json-body.guard.js';
import { type Mount, mount } from './http/mount.js';
import { OwnerGuard } from './http/owner.guard.js';
import { PortalGuard, unlessPortal } from './http/portal.guard.js';
import type { ApiSettings } from './options/api-options.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { ThornMessagesController } from './self-service/messages.controller.js';
import { ThornSubscriptionController } from './self-service/subscription.controller.js';
import { ReceiverGuard, SubscriptionGuard } from './self-service/subscription.guard.js';
import { ThornUnsubscribeController } from './self-service/unsubscribe.controller.js';
import { ThornActionsController } from './subscribers/subscriber-actions.controller.js';
import { ThornSubscribersController } from './subscribers/subscribers.controller.js';

/**
 * Mounts the controllers of the REST API in the order in which the platform registers them: paths with fixed words,
 * such as `/overview`, before paths that take any id.
 */
export function apiControllers(settings: ApiSettings): readonly Type<object>[] {
  const { path, baseUrl, problems, decorators, limits, portal } = settings;
  const bodies = new JsonBodyGuard(limits.bodyBytes);
  const guards = portal ? [PortalGuard, ...settings.guards.map(unlessPortal)] : settings.guards;
  const filters = problems ? [new ProblemFilter({ path, baseUrl })] : [];
  /** Routes of owners: the application's guards let a caller in, and the caller sees only the subscribers of its own owner. */
  const guarded: Mount = {
    path,
    filters,
    portal,
    decorators: decorators.all,
    guards: [...guards, new OwnerGuard(settings), bodies],
    interceptors: [IdempotencyInterceptor],
  };
  /** Routes for callers without an account: the guards of the API do not apply. */
  const open: Mount = { path, filters, decorators: [...decorators.all, ...decorators.public] };
  return [
    mount(ThornJwksController, open),
    ...(problems ? [mount(ThornProblemsController, open)] : []),
    mount(ThornUnsubscribeController, open),
    ...(settings.receivers
      ? [mount(ThornSubscriptionController, { ...open, guards: [SubscriptionGuard, bodies] })]
      : []),
    mount(ThornEventTypesController, guarded),
    mount(ThornHistoryController, guarded),
    mount(ThornMessagesController, {
      ...guarded,
      guards: [
        ...(portal ? [PortalGuard] : []),
        ReceiverGuard,
        ...settings.guards.map(unlessPortal),
        new OwnerGuard(settings),
        bodies,
      ],
    }),
    mount(ThornDeliveriesController, guarded),
    mount(ThornDeliveryReportsController, guarded),
    mount(ThornActionsController, guarded),
    mount(ThornSubscribersController, guarded),
  ];
}
