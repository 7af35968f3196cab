import { computed, signal } from '@preact/signals';
import type { ApiError } from './client.js';

/** A request that the server did not answer, or answered with an error of its own. */
interface Trouble {
  readonly error: ApiError;
  /** Sends the request again. */
  readonly again: () => void;
}

const troubles = signal<ReadonlyMap<unknown, Trouble>>(new Map());

/** The first error of the server or of the network; undefined while every request is answered. */
export const trouble = computed(() => [...troubles.value.values()][0]?.error);

/** True for an error that is not about the request: the whole page tells of it, once. */
export function isOfServer({ status }: ApiError): boolean {
  return status <= 0 || (status >= 500 && status !== 501);
}

/** Remembers what a reader of data waits for, or forgets it. */
export function setTrouble(reader: unknown, found?: Trouble): void {
  if (found === undefined && !troubles.value.has(reader)) return;
  const all = new Map(troubles.value);
  if (found === undefined) all.delete(reader);
  else all.set(reader, found);
  troubles.value = all;
}

/** Sends again what the server did not answer or, once it answers, only the requests that got no answer. */
export function askAgain(isBack = false): void {
  for (const { error, again } of troubles.value.values()) {
    if (!isBack || error.status === 0) again();
  }
}
