import { seedSubscribers } from '../../test/support/seed-subscribers.js';
import { reportValue } from '../harness.js';
import { Services } from '../outbox/services.js';
import { type PageFiles, startPage } from './start-page.js';

const ROWS = 100_000;
const REPEATED = 40;
/** Found at once, at the end, and nowhere. */
const SEARCHES = ['WEBHOOKS', 'the last of', 'nowhere'];

/** A request for the next endpoints that match a search, among 100,000 on a file of SQLite and on PostgreSQL. */
export async function searches({ files }: { readonly files: PageFiles }): Promise<void> {
  const services = new Services();
  try {
    for (const database of ['sqlite', 'postgres'] as const) {
      const options = await services[database]();
      const api = await startPage(files, { options });
      await seedSubscribers(api.app, ROWS);
      const times: number[] = [];
      for (let n = 0; n < REPEATED; n++) {
        for (const search of SEARCHES) times.push(...(await timesOf(api.url, search)));
      }
      await api.app.close();
      const p95 = times.toSorted((one, other) => one - other)[Math.ceil(times.length * 0.95) - 1]!;
      reportValue(`page.searches-p95-${database}`, p95, 'ms', 50);
    }
  } finally {
    await services.stop();
  }
}

/** Reads on until one is found, as the page does. */
async function timesOf(url: string, search: string): Promise<readonly number[]> {
  const times: number[] = [];
  let next: string | null = null;
  let found = 0;
  do {
    const query = new URLSearchParams({
      limit: '10',
      search,
      ...(next !== null && { after: next }),
    });
    const began = performance.now();
    const answer = await fetch(`${url}/hooks?${query.toString()}`);
    const body = (await answer.json()) as { items: unknown[]; next: string | null };
    times.push(performance.now() - began);
    found += body.items.length;
    next = body.next;
  } while (next !== null && found === 0);
  return times;
}
