import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, isLockedOut } from './client.js';

export interface Data<Value> {
  /** Undefined until the first answer. */
  readonly value: Value | undefined;
  /** Why the latest attempt failed, or undefined. */
  readonly error: ApiError | undefined;
  readonly reload: () => void;
}

/** Milliseconds between two looks at what may change by itself. */
export const LIVE = 4000;
const RETRY = 3000;

/**
 * Reads something, again when the key changes, every so often while the page is visible, and soon after the API did not
 * answer.
 */
export function useData<Value>(
  key: string,
  read: (signal: AbortSignal) => Promise<Value>,
  every?: number,
): Data<Value> {
  const [state, setState] = useState<{ key: string; value?: Value; error?: ApiError }>({ key });
  const [turn, setTurn] = useState(0);
  const reader = useRef(read);
  reader.current = read;
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      let again = every;
      try {
        if (!document.hidden) {
          const value = await reader.current(abort.signal);
          if (abort.signal.aborted) return;
          setState({ key, value });
        }
      } catch (error) {
        if (abort.signal.aborted) return;
        const failure =
          error instanceof ApiError ? error : new ApiError(-1, { detail: String(error) });
        setState((old) => ({ ...(old.key === key ? old : {}), key, error: failure }));
        again = failure.status === 0 || failure.status >= 500 ? RETRY : undefined;
      }
      if (again !== undefined && !isLockedOut.value) timer = setTimeout(() => void look(), again);
    };
    const seen = () => {
      if (document.hidden || every === undefined) return;
      clearTimeout(timer);
      void look();
    };
    document.addEventListener('visibilitychange', seen);
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [key, turn, every]);
  const reload = () => setTurn((old) => old + 1);
  return state.key === key
    ? { value: state.value, error: state.error, reload }
    : { value: undefined, error: undefined, reload };
}

export interface Action<Arguments extends unknown[]> {
  readonly run: (...given: Arguments) => void;
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
}

/** Does something once at a time, and keeps the reason of a failure. */
export function useAction<Arguments extends unknown[]>(
  work: (...given: Arguments) => Promise<void>,
): Action<Arguments> {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const run = (...given: Arguments) => {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    work(...given)
      .catch((failure: unknown) =>
        setError(
          failure instanceof ApiError ? failure : new ApiError(-1, { detail: String(failure) }),
        ),
      )
      .finally(() => setBusy(false));
  };
  return { run, isBusy, error };
}
