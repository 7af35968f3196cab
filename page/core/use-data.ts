import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, RETRY } from './client.js';
import { isOut } from './session.js';
import { isOfServer, setTrouble } from './troubles.js';

export interface Data<Value> {
  /** The value; undefined until the first answer. */
  readonly value: Value | undefined;
  /** Why the latest attempt failed, or undefined. */
  readonly error: ApiError | undefined;
  readonly reload: () => void;
}

/** The time between two reads of data that changes by itself, in milliseconds. */
export const LIVE = 4000;

/** Milliseconds until a failed read is repeated; undefined when only the user can repeat it. */
export function retryDelay(error: ApiError): number | undefined {
  if (error.status !== 429 && !isOfServer(error)) return undefined;
  return Math.max(error.retryAfter ?? RETRY, 1000);
}

/**
 * Reads data: again when the key changes, regularly while the page is visible, and some time after the API did not
 * answer or asked to wait. While the caller is locked out, nothing is read; afterwards everything is read again.
 *
 * @param version when it changes, the data are read again as well, and shown as they were until then
 */
export function useData<Value>(
  key: string,
  read: (signal: AbortSignal) => Promise<Value>,
  every?: number,
  version?: number,
): Data<Value> {
  const [state, setState] = useState<{ key: string; value?: Value; error?: ApiError }>({ key });
  const [turn, setTurn] = useState(0);
  const reader = useRef(read);
  reader.current = read;
  const period = useRef(every);
  period.current = every;
  // A page in the background is read once, and again when the user looks at it.
  const isRead = useRef<string | undefined>(undefined);
  const out = isOut.value;
  const reload = () => setTurn((old) => old + 1);
  useEffect(() => () => setTrouble(reader), [key, out]);
  useEffect(() => {
    if (out) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      let again = period.current;
      let isFailed = false;
      try {
        if (!document.hidden || isRead.current !== key) {
          const value = await reader.current(abort.signal);
          if (abort.signal.aborted) return;
          isRead.current = key;
          setTrouble(reader);
          setState({ key, value });
        }
      } catch (error) {
        if (abort.signal.aborted) return;
        const failure = ApiError.of(error);
        // The page shows one message for all screens when the caller is locked out.
        if (failure.status === 401 && isOut.value) return;
        setTrouble(reader, isOfServer(failure) ? { error: failure, again: reload } : undefined);
        setState((old) => ({ ...(old.key === key ? old : {}), key, error: failure }));
        again = retryDelay(failure);
        isFailed = true;
      }
      if (again === undefined) return;
      // The data may have stopped being live meanwhile.
      timer = setTimeout(() => (isFailed || period.current !== undefined) && void look(), again);
    };
    const seen = () => {
      if (document.hidden || period.current === undefined) return;
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
  }, [key, turn, out, version]);
  return state.key === key
    ? { value: state.value, error: state.error, reload }
    : { value: undefined, error: undefined, reload };
}

export interface Action<Arguments extends unknown[]> {
  readonly run: (...given: Arguments) => void;
  readonly isBusy: boolean;
  readonly error: ApiError | undefined;
}

/** Runs an action, one call at a time, and keeps the error of a failed call. */
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
      .catch((failure: unknown) => {
        const reason = ApiError.of(failure);
        if (reason.status !== 401 || !isOut.value) setError(reason);
      })
      .finally(() => setBusy(false));
  };
  return { run, isBusy, error };
}
