import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call } from './client.js';
import type { EndpointNow, EndpointStates } from './model.js';
import { apiUrl } from './settings.js';
import { LIVE, useData } from './use-data.js';

/** Which endpoints of the owner fail, and how many; undefined until that is known, and without a delivery log. */
export const health = signal<EndpointStates | undefined>(undefined);

/** Reads {@link health} again and again, for the menu and for all screens. */
export function useHealth(isWanted: boolean): void {
  const { value } = useData(
    `health ${isWanted}`,
    async (signal) =>
      isWanted ? call<EndpointStates>(apiUrl, 'health', { signal }) : Promise.resolve(undefined),
    LIVE * 4,
  );
  useEffect(() => {
    health.value = value;
  }, [value]);
}

/** How an endpoint is; undefined where it does not fail, or is one of many that do. */
export function failureOf(id: string): EndpointNow | undefined {
  return health.value?.items.find(({ subscriberId }) => subscriberId === id);
}
