import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './client.js';
import type { Action } from './use-data.js';

/** The sum of this step and the steps before it, and the place where the next step begins; null after the last step. */
export interface Step<Sum> {
  readonly sum: Sum;
  readonly next: string | null;
}

/** Long work in steps, which can be stopped and resumed where it was. */
export interface Steps<Sum> extends Pick<Action<[]>, 'run' | 'isBusy' | 'error'> {
  /** Undefined before the first step. */
  readonly sum: Sum | undefined;
  readonly isDone: boolean;
  readonly stop: () => void;
}

interface State<Sum> {
  readonly done?: Step<Sum> | undefined;
  readonly isBusy: boolean;
  readonly error?: ApiError;
}

/**
 * Work that goes on when its screen is left. A screen shows its progress.
 *
 * @param step gets the place to begin, and the sum so far
 */
export function stepsOf<Sum>(
  step: (after: string | undefined, before: Sum | undefined) => Promise<Step<Sum>>,
): Steps<Sum> {
  const state = signal<State<Sum>>({ isBusy: false });
  const wish = { isStopped: false };
  const work = async () => {
    let { done } = state.value;
    try {
      do {
        done = await step(done?.next ?? undefined, done?.sum);
        state.value = { done, isBusy: true };
      } while (done.next !== null && !wish.isStopped);
      state.value = { done, isBusy: false };
    } catch (failure) {
      state.value = { done, isBusy: false, error: ApiError.of(failure) };
    }
  };
  return {
    run: () => {
      if (state.value.isBusy) return;
      wish.isStopped = false;
      state.value = { done: state.value.done, isBusy: true };
      void work();
    },
    stop: () => {
      wish.isStopped = true;
    },
    get isBusy() {
      return state.value.isBusy;
    },
    get error() {
      return state.value.error;
    },
    get sum() {
      return state.value.done?.sum;
    },
    get isDone() {
      return state.value.done?.next === null;
    },
  };
}

/** As {@link stepsOf}, but leaving the screen stops the work after the present step. */
export function useSteps<Sum>(
  step: (after: string | undefined, before: Sum | undefined) => Promise<Step<Sum>>,
): Steps<Sum> {
  const latest = useRef(step);
  latest.current = step;
  const [steps] = useState(() => stepsOf<Sum>((after, before) => latest.current(after, before)));
  useEffect(() => steps.stop, []);
  return steps;
}
