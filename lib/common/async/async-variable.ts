import { AsyncLocalStorage } from 'node:async_hooks';
import { isPromiseLike } from './eventually.js';

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
let isFollowing = false;

/**
 * Keeps every caller followed from now on, for {@link AsyncVariable.enterWith}: a caller that was not followed when it began
 * to wait goes on in the place of all such callers, and all of them would enter.
 */
export function followCallers(): void {
  if (isFollowing) return;
  isFollowing = true;
  underWay += 1;
  bindings.run({ variable: bindings, value: undefined, outer: undefined }, () => undefined);
}

/** Tells whether the caller is in a value of some variable. */
export function isInVariable(): boolean {
  return bindings.getStore() !== undefined;
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
      underWay -= 1;
      if (underWay === 0) bindings.disable();
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
   * Puts the rest of the caller within a value: not beyond the end of a {@link run}, of whichever variable. Callers have to be
   * followed: see {@link followCallers}.
   */
  enterWith(value: Value): void {
    bindings.enterWith(this.#bound(value));
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
