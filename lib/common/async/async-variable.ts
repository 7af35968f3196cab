import { AsyncLocalStorage } from 'node:async_hooks';

/** The value of one variable, and those of the others. No variable has two. */
interface Binding {
  readonly variable: object;
  readonly value: unknown;
  readonly outer: Binding | undefined;
}

// One for all variables: until Node 24 each one makes every promise of the process slower.
const bindings = new AsyncLocalStorage<Binding>();

/** A value that a caller shares with all that it calls, as with `AsyncLocalStorage`. */
export class AsyncVariable<Value> {
  /** The value that the caller is in; undefined when it is in none. */
  get(): Value | undefined {
    let binding = bindings.getStore();
    while (binding !== undefined && binding.variable !== this) binding = binding.outer;
    return binding?.value as Value | undefined;
  }

  /** Calls `work` within a value. */
  run<Result>(value: Value, work: () => Result): Result {
    return bindings.run(this.#bound(value), work);
  }

  /** Puts the rest of the caller within a value: not beyond the end of a {@link run}, of whichever variable. */
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
