import { AsyncLocalStorage } from 'node:async_hooks';

interface Binding {
  readonly variable: object;
  readonly value: unknown;
  /** Of another variable each. */
  readonly outer: Binding | undefined;
}

// One for all variables: until Node 24 each one makes every promise of the process dearer.
const bindings = new AsyncLocalStorage<Binding>();

/** A value that a caller has in common with all that it calls, and with nobody else. */
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

  /** Puts the rest of the caller within a value. */
  enter(value: Value): void {
    bindings.enterWith(this.#bound(value));
  }

  #bound(value: Value): Binding {
    return { variable: this, value, outer: without(this, bindings.getStore()) };
  }
}

/** Whoever begins one transaction after the other must not remember all of them. */
function without(variable: object, binding: Binding | undefined): Binding | undefined {
  if (binding === undefined) return undefined;
  if (binding.variable === variable) return binding.outer;
  const outer = without(variable, binding.outer);
  return outer === binding.outer ? binding : { ...binding, outer };
}
