import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { mergeMap, type Observable } from 'rxjs';
import { isObject } from '../../common/objects.js';
import { InvalidInputError } from '../../errors/index.js';
import { EventCatalogue } from '../../event/index.js';
import { Deliveries, MAX_SELECTED } from '../../outbox/index.js';
import {
  checkPattern,
  type OwnerScope,
  patternCovers,
  patternMatches,
  type Subscriber,
  Subscribers,
} from '../../subscriber/index.js';
import type { ApiRequest } from '../options/api-options.js';
import { badRequest, orNotFound, type RefusedField } from '../problems/errors.js';
import { scopeOf } from './owner.guard.js';
import { declaresNeed, eventsFor } from './portal.guard.js';

interface RoutedRequest extends ApiRequest {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** An item of a list: a subscriber, a delivery, a message, or a type of event. */
interface Item {
  readonly events?: readonly string[];
  readonly event?: string;
  readonly name?: string;
  readonly subscriberId?: string;
}

/**
 * Keeps the holder of a link for some events to these, on every route: what is of another event is not found, is left out
 * of lists, and cannot be subscribed to. A subscriber that gets other events as well is not found either.
 */
@Injectable()
export class PortalEventsInterceptor implements NestInterceptor {
  constructor(
    @Inject(Subscribers) private readonly subscribers: Subscribers,
    @Inject(Deliveries) private readonly deliveries: Deliveries,
    @Inject(EventCatalogue) private readonly catalogue: EventCatalogue,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<RoutedRequest>();
    const allowed = eventsFor(request);
    if (allowed === null) return next.handle();
    const scope = scopeOf(request);
    await this.#checkPlace(request, scope, allowed);
    for (const id of selected(request.body)) await this.#checkDelivery(id, scope, allowed);
    this.#checkBody(request.body, allowed, declaresNeed(context.getHandler(), 'test'));
    return next.handle().pipe(mergeMap((answer) => this.#visible(answer, scope, allowed)));
  }

  /** @throws a 404 for what the path or the query names */
  async #checkPlace(
    { params, query }: RoutedRequest,
    scope: OwnerScope,
    allowed: readonly string[],
  ): Promise<void> {
    const { id, delivery, name } = params;
    const subscriberId = id ?? query['subscriber'];
    if (typeof subscriberId === 'string' && !(await this.#shows(subscriberId, scope, allowed))) {
      orNotFound(null);
    }
    if (delivery !== undefined) await this.#checkDelivery(delivery, scope, allowed);
    if (name !== undefined) {
      orNotFound(this.catalogue.isCoveredBy(allowed, name) || null, 'event');
    }
  }

  /** @throws a 404 */
  async #checkDelivery(id: string, scope: OwnerScope, allowed: readonly string[]): Promise<void> {
    const found = await this.deliveries.findById(id, scope);
    const isVisible =
      found !== null &&
      isAllowed(found.event, allowed) &&
      (await this.#shows(found.subscriberId, scope, allowed));
    orNotFound(isVisible || null, 'delivery');
  }

  async #shows(id: string, scope: OwnerScope, allowed: readonly string[]): Promise<boolean> {
    const subscriber = await this.subscribers.findById(id, scope);
    return subscriber !== null && isWithin(subscriber, allowed);
  }

  /** Leaves out of a list what is of other events. */
  async #visible(answer: unknown, scope: OwnerScope, allowed: readonly string[]): Promise<unknown> {
    const items = isObject(answer) ? answer['items'] : undefined;
    if (!Array.isArray(items)) return answer;
    const shown: unknown[] = [];
    const known = new Map<string, boolean>();
    for (const item of items as readonly Item[]) {
      const { events, event, name, subscriberId } = item;
      if (events !== undefined && !isWithin({ events }, allowed)) continue;
      if (event !== undefined && !isAllowed(event, allowed)) continue;
      if (name !== undefined && !this.catalogue.isCoveredBy(allowed, name)) continue;
      if (subscriberId !== undefined) {
        const is = known.get(subscriberId) ?? (await this.#shows(subscriberId, scope, allowed));
        known.set(subscriberId, is);
        if (!is) continue;
      }
      shown.push(item);
    }
    const passed = (shown as readonly { passes?: boolean }[]).filter(({ passes }) => passes).length;
    return {
      ...(answer as object),
      items: shown,
      ...('passed' in (answer as object) && { passed }),
    };
  }

  /** @throws a 400 for events that are not allowed, or not known, which names no others */
  #checkBody(body: unknown, allowed: readonly string[], isTest: boolean): void {
    if (!isObject(body)) return;
    const refused = ['event', 'events'].flatMap((field): readonly RefusedField[] => {
      const given = [body[field] ?? []].flat().filter((one) => typeof one === 'string');
      const reason = given
        .filter((one) => !isTest || one !== PING)
        .map((one) => this.#refusalOf(one, allowed, isTest))
        .find((one) => one !== undefined);
      return reason === undefined ? [] : [{ field, reason }];
    });
    if (refused.length > 0) throw badRequest(refused);
  }

  /** Why an event or pattern is refused. Whether it is a pattern at all is looked at later. */
  #refusalOf(given: string, allowed: readonly string[], isTest: boolean): string | undefined {
    if (!isWithin({ events: [given] }, allowed)) {
      return `must be of the events of this link: ${allowed.join(', ')}`;
    }
    if (isTest || !isPattern(given)) return undefined;
    const shown = this.catalogue.subscribable();
    try {
      this.catalogue.checkPatternKnown(
        given,
        shown.filter((name) => this.catalogue.isCoveredBy(allowed, name)),
      );
      return undefined;
    } catch (error) {
      if (error instanceof InvalidInputError) return error.reason;
      throw error;
    }
  }
}

/** The deliveries that a body selects. Too many are refused later, by the service. */
function selected(body: unknown): readonly string[] {
  const ids = isObject(body) ? body['ids'] : undefined;
  if (!Array.isArray(ids) || ids.length > MAX_SELECTED) return [];
  return ids.filter((id): id is string => typeof id === 'string');
}

/** Tells whether a subscriber gets events that are allowed, and no others. */
export function isWithin(
  { events }: Pick<Subscriber, 'events'>,
  allowed: readonly string[],
): boolean {
  return events.every((one) => allowed.some((pattern) => patternCovers(pattern, one)));
}

/** The patterns of either list that one of the other covers. */
export function sharedPatterns(
  some: readonly string[],
  others: readonly string[],
): readonly string[] {
  const within = (one: string, wide: readonly string[]) => isWithin({ events: [one] }, wide);
  return [
    ...new Set([
      ...some.filter((one) => within(one, others)),
      ...others.filter((one) => within(one, some)),
    ]),
  ];
}

function isAllowed(event: string, allowed: readonly string[]): boolean {
  return allowed.some((pattern) => patternMatches(pattern, event));
}

function isPattern(text: string): boolean {
  try {
    checkPattern(text);
    return true;
  } catch {
    return false;
  }
}

/** The event of a test without one. */
const PING = 'thorn.ping';
