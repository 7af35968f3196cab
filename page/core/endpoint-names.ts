import { useRef } from 'preact/hooks';
import type { DeliverySource, ShownRow } from './deliveries.js';
import { owner } from './source.js';
import { useData } from './use-data.js';

/** Endpoints whose names are read at once. */
const MOST = 100;

/** Names the endpoints of deliveries by their URLs. The rows of operators have them. */
export function useEndpointNames(
  source: DeliverySource,
  rows: readonly ShownRow[],
): (row: ShownRow) => string {
  const known = useRef(new Map<string, string>());
  const ids = [...new Set(rows.map(({ subscriberId }) => subscriberId))];
  const missing = source.base === '' ? ids.filter((id) => !known.current.has(id)) : [];
  useData(`names of ${missing.join(' ')}`, async (signal) => {
    if (missing.length === 0) return;
    if (known.current.size === 0) {
      const { items } = await owner.endpoints({ limit: String(MOST) }, signal);
      for (const { id, url } of items) known.current.set(id, url);
    }
    // Those of owners with many more endpoints. One that was removed keeps its id.
    for (const id of missing.filter((one) => !known.current.has(one))) {
      known.current.set(id, (await owner.find(id, signal))?.url ?? id);
    }
  });
  return ({ url, subscriberId }) => url ?? known.current.get(subscriberId) ?? subscriberId;
}
