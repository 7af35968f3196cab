import { useEffect, useRef, useState } from 'preact/hooks';
import { type Action, useAction } from './use-data.js';

/** What a step has done, together with those before it, and where the next one begins; null: there is none. */
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

/** @param step gets where to begin, and what was done so far */
export function useSteps<Sum>(
  step: (after: string | undefined, before: Sum | undefined) => Promise<Step<Sum>>,
): Steps<Sum> {
  const [done, setDone] = useState<Step<Sum>>();
  const isStopped = useRef(false);
  const stop = () => {
    isStopped.current = true;
  };
  // Whoever leaves stops the work after the step under way.
  useEffect(() => stop, []);
  const { run, isBusy, error } = useAction(async () => {
    isStopped.current = false;
    let last = done;
    do {
      last = await step(last?.next ?? undefined, last?.sum);
      setDone(last);
    } while (last.next !== null && !isStopped.current);
  });
  return {
    run,
    isBusy,
    error,
    stop,
    sum: done?.sum,
    isDone: done !== undefined && done.next === null,
  };
}
