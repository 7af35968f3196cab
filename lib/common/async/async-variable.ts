import { AsyncLocalStorage, createHook, executionAsyncResource } from 'node:async_hooks';

/** The value of one variable, and those of the others. No variable has two. */
interface Binding {
  readonly variable: object;
  readonly value: unknown;
  readonly outer: Binding | undefined;
}

// One for all variables: until Node 24 each one makes every promise of the process slower. So it is on only while some
// work is under way that has a value.
const bindings = new AsyncLocalStorage<Binding>();
let underWay = 0;

const NOTHING: Binding = { variable: bindings, value: undefined, outer: undefined };

/** True until Node 24, where the value is a property of what the caller runs in. */
const isHooked = bindings.run(NOTHING, () => {
  const resource = executionAsyncResource() as Record<symbol, unknown>;
  return Object.getOwnPropertySymbols(resource).some((name) => resource[name] === NOTHING);
});
bindings.disable();

/**
 * Keeps all callers followed, for {@link AsyncVariable.enterAfter}.
 *
 * @returns ends it
 */
export function followCallers(): () => void {
  underWay += 1;
  if (underWay === 1) bindings.run(NOTHING, () => undefined);
  let isEnded = false;
  return () => {
    if (!isEnded) unfollow();
    isEnded = true;
  };
}

function unfollow(): void {
  underWay -= 1;
  if (underWay === 0) bindings.disable();
}

/** A value that a caller shares with all that it calls, as with `AsyncLocalStorage`. */
export class AsyncVariable<Value> {
  /** The value that the caller is in; undefined when it is in none. */
  get(): Value | undefined {
    let binding = bindings.getStore();
    while (binding !== undefined && binding.variable !== this) binding = binding.outer;
    return binding?.value as Value | undefined;
  }

  /**
   * Calls `work` within a value, which is gone when the work has ended.
   *
   * @param ended called at the end of the work, before the caller is answered
   */
  run<Result>(value: Value, work: () => Result, ended?: () => void): Result {
    const end = (): void => {
      ended?.();
      unfollow();
    };
    underWay += 1;
    let result: Result;
    try {
      result = bindings.run(this.#bound(value), work);
    } catch (error) {
      end();
      throw error;
    }
    if (isPromiseLike(result)) void result.then(end, end);
    else end();
    return result;
  }

  /**
   * Puts those who wait for a promise within a value by the time it is fulfilled, with all that they do from then on: not
   * beyond the end of a {@link run}, of whichever variable. Callers have to be followed until nobody needs the value: see
   * {@link followCallers}.
   *
   * @returns what to wait for, before it is fulfilled
   */
  enterAfter<Result>(promise: Promise<Result>, value: Value): Promise<Result> {
    if (!isHooked) {
      bindings.enterWith(this.#bound(value));
      return promise;
    }
    // Not at once: others that were not followed when they began to wait go on in the same place, and would enter, too.
    const entering = createHook({
      before: () => {
        // Anything else is a place that the caller shares with others.
        if (executionAsyncResource() instanceof Promise) bindings.enterWith(this.#bound(value));
      },
    });
    return new Promise((resolve, reject) => {
      promise.then((result) => {
        // Between the two go on those who wait, and nobody else.
        queueMicrotask(() => entering.enable());
        resolve(result);
        queueMicrotask(() => entering.disable());
      }, reject);
    });
  }

  #bound(value: Value): Binding {
    return { variable: this, value, outer: without(this, bindings.getStore()) };
  }
}

/** A caller that begins one transaction after the other must not keep all of them in memory. */
function without(variable: object, binding: Binding | undefined): Binding | undefined {
  if (binding === undefined) return undefined;
  if (binding.variable === variable) return binding.outer;
  const outer = without(variable, binding.outer);
  return outer === binding.outer ? binding : { ...binding, outer };
}

/** By its method: a promise may be of another realm, as in Jest. */
function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
