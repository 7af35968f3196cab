import type { OutboxStore } from '../store/outbox-store.js';
import { idFrom } from '../tables/keys.js';
import { selectSubjects } from '../tables/messages.js';

/** Reads what messages are about, by their ids. A message of which nothing is known, or whose body was dropped, is left out. */
export async function subjectsOf(
  store: OutboxStore,
  messages: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(messages)];
  if (ids.length === 0) return new Map();
  const { rows } = await store.database.run(selectSubjects(store, ids));
  return new Map(rows.map((row) => [idFrom('msg_', row.id, row.given_id), row.subject!]));
}
