import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call } from './client.js';
import type { EndpointStates } from './model.js';
import { apiUrl } from './settings.js';
import { LIVE, useData } from './use-data.js';

/**
 * The numbers of failing and of disabled endpoints of the owner; undefined until the page has read them, and when there
 * is no delivery log.
 */
export const health = signal<EndpointStates | undefined>(undefined);

/** Reads {@link health} every few seconds, for the menu. */
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
