import { useState } from 'preact/hooks';
import { type Action, type Data, useAction, useData } from './use-data.js';

/** One page of a list of the API. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next one begins; null on the last. */
  readonly next: string | null;
}

/** A list of which more and more is read. */
export interface Pages<Item> {
  /** What was read so far. */
  readonly data: Data<Page<Item>>;
  /** Reads on, and nothing of what was read before. */
  readonly more: Action<[]>;
  /** True while the newest are read again and again: after a further page they are not. */
  readonly isLive: boolean;
  /** Begins anew with the newest. */
  readonly restart: () => void;
}

interface PagesOptions<Item> {
  readonly read: (after: string | undefined, signal: AbortSignal) => Promise<Page<Item>>;
  /** Items that are read at a time. */
  readonly step: number;
  /** Milliseconds until the newest are read again. */
  readonly every?: number;
}

/** Requests for one page at most: the API looks at a part of the log in each, and may find nothing there. */
const MOST_REQUESTS = 10;

/** Reads a list page by page, anew when the key changes. */
export function usePages<Item>(key: string, options: PagesOptions<Item>): Pages<Item> {
  const { step, every } = options;
  // The first page with those after it: the first is not read again from then on, so that no item is missed between.
  const [all, setAll] = useState<{ readonly key: string; readonly page: Page<Item> }>();
  const longer = all?.key === key ? all.page : undefined;
  const readFrom = async (start: string | null, signal: AbortSignal): Promise<Page<Item>> => {
    const items: Item[] = [];
    let after = start;
    let requests = 0;
    do {
      const page = await options.read(after ?? undefined, signal);
      items.push(...page.items);
      after = page.next;
      requests += 1;
    } while (after !== null && items.length < step && requests < MOST_REQUESTS);
    return { items, next: after };
  };
  const first = useData(
    key,
    (signal) => readFrom(null, signal),
    longer === undefined ? every : undefined,
  );
  const shown = longer ?? first.value;
  const more = useAction(async () => {
    const { items, next } = await readFrom(shown!.next, new AbortController().signal);
    setAll({ key, page: { items: [...shown!.items, ...items], next } });
  });
  return {
    data: { ...first, value: shown },
    more,
    isLive: longer === undefined,
    restart: () => {
      setAll(undefined);
      first.reload();
    },
  };
}
