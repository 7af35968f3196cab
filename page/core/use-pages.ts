import { useState } from 'preact/hooks';
import { type Action, type Data, useAction, useData } from './use-data.js';

/** One page of a list of the API. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The cursor of the next page; null on the last page. */
  readonly next: string | null;
}

/** A list that is read page by page. */
export interface Pages<Item> {
  /** The items that were read so far. */
  readonly data: Data<Page<Item>>;
  /** Reads the next page. */
  readonly more: Action<[]>;
  /** True while the first page is read again regularly. After a further page was read, it is not. */
  readonly isLive: boolean;
  /** Starts again with the newest items. */
  readonly restart: () => void;
}

interface PagesOptions<Item> {
  readonly read: (after: string | undefined, signal: AbortSignal) => Promise<Page<Item>>;
  /** The number of items on a page. */
  readonly step: number;
  /** Milliseconds until the first page is read again. */
  readonly every?: number;
}

/** Requests for one page at most: the API looks at a part of the log in each, and may find nothing there. */
const MOST_REQUESTS = 10;

/** Reads a list page by page, and from the beginning when the key changes. */
export function usePages<Item>(key: string, options: PagesOptions<Item>): Pages<Item> {
  const { step, every } = options;
  // The first page with the pages after it. From then on the first page is not read again, since new items would leave a
  // gap between the pages.
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
