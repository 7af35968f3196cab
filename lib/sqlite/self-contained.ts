import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';

/** A save that has its query runner for itself, and calls nothing of the application but what is told of it. */
export interface SelfContained {
  /** True when something of the application has the query runner, and may still use it. */
  isEntered: boolean;
  hasCommitted: boolean;
}

/** A property, because a WeakMap takes longer with each query runner that was in it. Null when the save has ended. */
const SELF_CONTAINED = Symbol('thorn.selfContained');

interface Marked {
  [SELF_CONTAINED]?: SelfContained | null;
}

const own = new WeakSet<object>();

/** Adds subscribers that call nothing of the application, or only where it can find the transaction that it is in. */
export function addOwnSubscribers(
  { subscribers }: DataSource,
  added: readonly EntitySubscriberInterface[],
): void {
  for (const subscriber of added) own.add(subscriber);
  subscribers.push(...added);
}

/** Tells whether a subscriber was added so. */
export function isOwnSubscriber(subscriber: object): boolean {
  return own.has(subscriber);
}

/** Tells whether a save may call subscribers of the application. */
export function hasOtherSubscribers({ subscribers }: DataSource): boolean {
  return !subscribers.every((subscriber) => own.has(subscriber));
}

/** The self-contained save that a query runner was made for, until its end. */
export function selfContained(queryRunner: object | undefined): SelfContained | undefined {
  const marked: Marked | undefined = queryRunner;
  return marked?.[SELF_CONTAINED] ?? undefined;
}

/** A self-contained save begins on a query runner. */
export function beginSelfContained(queryRunner: QueryRunner): SelfContained {
  const save = { isEntered: false, hasCommitted: false };
  (queryRunner as Marked)[SELF_CONTAINED] = save;
  return save;
}

/** Something of the application is given a query runner. */
export function enterSelfContained(queryRunner: object): void {
  const save = selfContained(queryRunner);
  if (save !== undefined) save.isEntered = true;
}

/** A self-contained save has ended. Another one may have its query runner already. */
export function endSelfContained(queryRunner: QueryRunner, save: SelfContained): void {
  const marked = queryRunner as Marked;
  if (marked[SELF_CONTAINED] === save) marked[SELF_CONTAINED] = null;
}

/** Tells whether a query runner was made for its caller alone: some drivers have one for all, and so may tests. */
export function isUnshared(queryRunner: QueryRunner, { driver }: DataSource): boolean {
  return (
    (queryRunner as Marked)[SELF_CONTAINED] === undefined &&
    !queryRunner.isTransactionActive &&
    Reflect.get(driver, 'queryRunner') !== queryRunner
  );
}
