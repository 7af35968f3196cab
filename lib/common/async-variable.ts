import { AsyncLocalStorage } from 'node:async_hooks';

/** The value of one variable, linked to the values of the other variables. */
interface Binding {
  readonly variable: object;
  readonly value: unknown;
  readonly outer: Binding | undefined;
}

// All variables share one AsyncLocalStorage: until Node 24 each further one makes every promise of the process slower.
// It is enabled only while work with a value is running.
const bindings = new AsyncLocalStorage<Binding>();
let underWay = 0;

/** A value that a caller shares with all that it calls, as with `AsyncLocalStorage`. */
export class AsyncVariable<Value> {
  /** The value that was given to the innermost `run()` around the caller; undefined outside of every `run()`. */
  get(): Value | undefined {
    let binding = bindings.getStore();
    while (binding !== undefined && binding.variable !== this) binding = binding.outer;
    return binding?.value as Value | undefined;
  }

  /**
   * Calls `work` with a value. Everything that `work` calls or awaits sees the value, until `work` has ended.
   *
   * @param ended called when `work` has ended, before the caller gets its result
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

/** Looks for the method `then`, not for the class: in Jest a promise may come from another realm. */
function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
