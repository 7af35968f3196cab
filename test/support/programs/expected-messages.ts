import type { LoggedChange, LoggedCommit, LoggedRow } from '../commits/commit-log.js';
import { SENT_BY_HAND, shelfOf } from './rows.js';

/** A message that a committed transaction has to send. */
export interface ExpectedMessage {
  /** The place of its transaction among the commits. */
  readonly commit: number;
  readonly event: string;
  readonly key: string | null;
  /** The texts of its data that are right: of a removed row, any that it had in its transaction. */
  readonly data: readonly string[];
}

/** JSON whose objects have their names in order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}

/** The messages of all commits, as docs/events/changes.md says: one net change for each row and transaction. */
export function expectedMessages(commits: readonly LoggedCommit[]): readonly ExpectedMessage[] {
  return commits.flatMap((changes, commit) => {
    const rows = new Map<string, LoggedChange[]>();
    for (const change of changes) {
      const id = `${change.table} ${(change.after ?? change.before)!['id']}`;
      rows.set(id, [...(rows.get(id) ?? []), change]);
    }
    return [...rows.values()].flatMap((ofRow) =>
      messagesOf(ofRow).map((message) => ({ commit, ...message })),
    );
  });
}

type RowMessage = Omit<ExpectedMessage, 'commit'>;

function messagesOf(changes: readonly LoggedChange[]): readonly RowMessage[] {
  const { table, before } = changes[0]!;
  const { after } = changes.at(-1)!;
  if (table === 'sent') return sentByHand(after);
  const messages: RowMessage[] = [];
  const row = after ?? before;
  // It came and went.
  if (row === null) return [];
  const key = { item: `item:${row['id']}`, stone: shelfOf(Number(row['id'])) }[table] ?? null;
  const add = (event: string, ...data: readonly object[]) =>
    messages.push({ event: `${table}.${event}`, key, data: [...new Set(data.map(canonical))] });
  if (!isThere(before) && isThere(after)) add('created', shown(table, after!));
  else if (isThere(before) && !isThere(after)) {
    const rows = changes.flatMap((change) => [change.before ?? [], change.after ?? []].flat());
    add('removed', ...rows.map((one) => shown(table, one)));
  } else if (isThere(before) && isThere(after)) {
    const [old, now] = [shown(table, before!), shown(table, after!)];
    const names = Object.keys(now).filter((name) => old[name] !== now[name]);
    if (names.length === 0) return [];
    const changed = Object.fromEntries(
      names.map((name) => [name, { from: old[name], to: now[name] }]),
    );
    const data = table === 'item' ? { ...now, changes: changed } : now;
    add('changed', data);
    if (table === 'item' && now['value'] === 2 && names.includes('value')) add('full', data);
  }
  return messages;
}

function sentByHand(row: LoggedRow | null): readonly RowMessage[] {
  if (row === null || (row['name'] ?? null) === null) return [];
  const data = [canonical({ nonce: row['id'] })];
  return [{ event: SENT_BY_HAND, key: String(row['name']), data }];
}

function isThere(row: LoggedRow | null): boolean {
  return row !== null && (row['deletedAt'] ?? null) === null;
}

function shown(table: string, { id, name, value, state }: LoggedRow): LoggedRow {
  return table === 'note'
    ? { id: id!, name: name!, value: value! }
    : { id: id!, name: name!, value: value!, state: state! };
}
