import { InvalidInputError } from '../../errors/index.js';
import type { Subscriber } from './subscriber.js';

/** The longest time that a key is held, in milliseconds: two weeks. */
export const MAX_HOLD_FOR = 1_209_600_000;
/** The values of {@link Subscriber.onExhausted}. */
export const EXHAUSTED_ACTIONS = [
  'skip',
  'hold',
] as const satisfies readonly Subscriber['onExhausted'][];

/** What a subscriber says of the order of its deliveries. */
export type DeliveryOrder = Pick<Subscriber, 'ordered' | 'onExhausted' | 'holdFor'>;

/** @throws {@link InvalidInputError} for `ordered` */
export function checkOrdered(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new InvalidInputError('ordered', 'must be true or false');
  return value;
}

/** @throws {@link InvalidInputError} for `onExhausted` */
export function checkOnExhausted(value: unknown): Subscriber['onExhausted'] {
  const found = EXHAUSTED_ACTIONS.find((action) => action === value);
  if (found !== undefined) return found;
  throw new InvalidInputError('onExhausted', `must be one of ${EXHAUSTED_ACTIONS.join(', ')}`);
}

/** @throws {@link InvalidInputError} for `holdFor` unless it is null or a number of milliseconds */
export function checkHoldFor(value: unknown): number | null {
  if (value === null) return null;
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_HOLD_FOR) {
    return value as number;
  }
  throw new InvalidInputError(
    'holdFor',
    `must be null, or milliseconds: a whole number from 1 to ${MAX_HOLD_FOR}`,
  );
}

/** @throws {@link InvalidInputError} for a `holdFor` that would have no effect */
export function checkHold({
  onExhausted = 'skip',
  holdFor = null,
}: Partial<Pick<Subscriber, 'onExhausted' | 'holdFor'>>): void {
  if (holdFor === null || onExhausted !== 'skip') return;
  throw new InvalidInputError(
    'holdFor',
    'is for onExhausted "hold": set that as well, or leave holdFor out',
  );
}

/** Checks the values of a row or a declaration. @throws {@link InvalidInputError} naming the field */
export function checkOrder(given: {
  readonly [Field in keyof DeliveryOrder]?: unknown;
}): DeliveryOrder {
  const order = {
    ordered: checkOrdered(given.ordered ?? false),
    onExhausted: checkOnExhausted(given.onExhausted ?? 'skip'),
    holdFor: checkHoldFor(given.holdFor ?? null),
  };
  checkHold(order);
  return order;
}
