import { AsyncLocalStorage } from 'node:async_hooks';

/** The value of one variable, and those of the others. */
interface Binding {
  readonly variable: object;
  readonly value: unknown;
  readonly outer: Binding | undefined;
}

// One for all variables: until Node 24 each one makes every promise of the process slower. So it is on only while some
// work is under way that has a value.
const bindings = new AsyncLocalStorage<Binding>();
let underWay = 0;

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
      result = bindings.run({ variable: this, value, outer: bindings.getStore() }, work);
    } catch (error) {
      end();
      throw error;
    }
    if (isPromiseLike(result)) void result.then(end, end);
    else end();
    return result;
  }
}

/** By its method: a promise may be of another realm, as in Jest. */
function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
