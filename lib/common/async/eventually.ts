/** What is there already, or will be. */
export type Eventual<Value> = Value | Promise<Value>;

/**
 * Runs a generator that yields what it waits for. If nothing of it is a promise, the result is there at once: a promise
 * costs as much as a few dozen lines of work, and a save has to wait for each.
 *
 * @param work of a generator that is declared once: one that is made within a function has objects that live long
 */
export function eventually<Result>(work: Generator<unknown, Result, unknown>): Eventual<Result> {
  let step = work.next();
  while (step.done !== true) {
    if (isPromiseLike(step.value)) return later(work, step.value);
    step = work.next(step.value);
  }
  return step.value;
}

/** Tells whether a value has to be waited for. */
export function isPromiseLike<Value>(
  value: Value | PromiseLike<Value>,
): value is PromiseLike<Value> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

async function later<Result>(
  work: Generator<unknown, Result, unknown>,
  first: PromiseLike<unknown>,
): Promise<Result> {
  let step: IteratorResult<unknown, Result> = { done: false, value: first };
  while (step.done !== true) {
    let answer: unknown;
    let failure: { readonly error: unknown } | undefined;
    try {
      answer = await step.value;
    } catch (error) {
      failure = { error };
    }
    step = failure === undefined ? work.next(answer) : work.throw(failure.error);
  }
  return step.value;
}
