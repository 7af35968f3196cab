import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call } from './client.js';
import type { EndpointStates } from './model.js';
import { apiUrl } from './settings.js';
import { LIVE, useData } from './use-data.js';

/** How many endpoints of the owner fail, and how many are disabled; undefined until that is known, and without a delivery log. */
export const health = signal<EndpointStates | undefined>(undefined);

/** Reads {@link health} again and again, for the menu. */
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
