import type { Retried } from '../core/model.js';
import { number, t } from '../text/index.js';

/** The number of deliveries that were changed, and of the others by the code of their problem. */
export interface Resent {
  readonly done: number;
  readonly leftOut: Readonly<Record<string, number>>;
}

export const NONE: Resent = { done: 0, leftOut: {} };

export function plus(one: Resent, other: Resent): Resent {
  const leftOut = { ...one.leftOut };
  for (const [code, count] of Object.entries(other.leftOut)) {
    leftOut[code] = (leftOut[code] ?? 0) + count;
  }
  return { done: one.done + other.done, leftOut };
}

export function resultOf(items: readonly Pick<Retried, 'code'>[]): Resent {
  return items
    .map(({ code }) =>
      code === null ? { done: 1, leftOut: {} } : { done: 0, leftOut: { [code]: 1 } },
    )
    .reduce(plus, NONE);
}

export function isComplete({ leftOut }: Resent): boolean {
  return Object.values(leftOut).every((count) => count === 0);
}

/** False when nothing was changed, although something was asked for. */
export function hasWorked({ done, leftOut }: Resent): boolean {
  return done > 0 || isComplete({ done, leftOut });
}

interface Options {
  readonly of: Resent;
  /** The number of deliveries that were changed, as a sentence. */
  readonly text?: (count: string) => string;
}

/** The number of deliveries that are sent, and the reasons why others are not. */
export function ResentText({ of: { done, leftOut }, text = t().lists.sent }: Options) {
  const texts: Readonly<Record<string, string>> = { ...t().problems, 'not-found': t().notFound };
  return (
    <>
      {text(number(done))}
      {Object.entries(leftOut)
        .filter(([, count]) => count > 0)
        .map(([code, count]) => (
          <p key={code}>
            {t().lists.leftOut(number(count))} {texts[code] ?? code}
          </p>
        ))}
    </>
  );
}
