import {
  claimDue,
  type ClaimedDelivery,
  type HostShare,
  parseClaimedRow,
  selectDue,
  selectFirstDues,
  selectNextDue,
} from '../tables/deliveries.js';
import type { NewLease } from '../tables/leases.js';
import type { OutboxStore } from '../store/outbox-store.js';

/**
 * Claims due deliveries, up to the share of each host: they are held until the end of the lease. A delivery whose lease has
 * ended is due as well, since its worker has died. Other processes cannot claim the same rows.
 */
export async function claim(
  store: OutboxStore,
  shares: readonly HostShare[],
  lease: NewLease,
  now: number,
): Promise<readonly ClaimedDelivery[]> {
  const rows = store.dialect.returns
    ? (await store.database.run(claimDue(store, shares, lease, now))).rows
    : await store.deliveryLeases.claim(selectDue(store, shares, now), lease);
  return rows.map(parseClaimedRow);
}

/** Returns the time at which the next delivery or message is due; null when nothing is pending. */
export async function nextDue(store: OutboxStore): Promise<number | null> {
  const { rows } = await store.database.run(selectNextDue(store));
  const times = Object.values(rows[0]!).filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times.map(Number));
}

/**
 * Lists hosts with due deliveries.
 *
 * @param after the host to start behind; an empty string for the first page
 * @param limit hosts to look at, including those without due deliveries
 * @returns `last`: where to go on, null at the end
 */
export async function dueHosts(
  store: OutboxStore,
  after: string,
  now: number,
  limit: number,
): Promise<{ readonly hosts: readonly string[]; readonly last: string | null }> {
  const { rows } = await store.database.run(selectFirstDues(store, after, limit));
  return {
    hosts: rows
      .filter(({ first_due: firstDue }) => Number(firstDue) <= now)
      .map(({ host }) => host),
    last: rows.length < limit ? null : rows.at(-1)!.host,
  };
}
