import type { OutboxStore } from '../store/outbox-store.js';
import { idFrom } from '../tables/keys.js';
import { selectSubjects } from '../tables/messages.js';

/** A longer text is no name of a thing, and lists show its beginning. */
const TOO_LONG = /^(.{1000}).+$/su;

/**
 * Reads what messages are about: the `id` of their data, else their order key, else their `ref`.
 *
 * @returns the texts by the ids of the messages; a message of which nothing is known, or whose body was dropped, is left out
 */
export async function subjectsOf(
  stores: readonly OutboxStore[],
  messages: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(messages)];
  if (ids.length === 0) return new Map();
  const answers = await Promise.all(
    stores.map((store) => store.database.run(selectSubjects(store, ids))),
  );
  const found = answers.flatMap(({ rows }) => rows);
  return new Map(
    found.flatMap(({ id, given_id: given, data_id: json, order_key: key, ref }) => {
      const subject = idOf(json) ?? key ?? ref;
      if (subject === null) return [];
      return [[idFrom('msg_', id, given), subject.replace(TOO_LONG, '$1…')] as const];
    }),
  );
}

/** An id that is JSON, as a text. Digits stay as they are written, since JavaScript may not have the number. */
function idOf(json: string | null): string | null {
  if (json === null || !/^["\d-]/.test(json)) return null;
  return json.startsWith('"') ? (JSON.parse(json) as string) || null : json;
}
