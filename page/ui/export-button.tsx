import { useEffect, useRef, useState } from 'preact/hooks';
import { csvOf, MOST_ROWS } from '../core/csv.js';
import { useAction } from '../core/use-data.js';
import type { Page } from '../core/use-pages.js';
import { number, t } from '../text/index.js';
import { Button, ErrorNote } from './basics.js';
import { save } from './content.js';

type Cell = string | number | null;

interface Options<Item> {
  /** Reads a page of what the filters of the screen select. */
  readonly read: (after: string | undefined, signal: AbortSignal) => Promise<Page<Item>>;
  /** The columns by the names of the API, which programs know in any language. */
  readonly columns: Readonly<Record<string, (item: Item) => Cell>>;
  /** The name of the file, without `.csv`. */
  readonly name: string;
}

/** Saves the list that the filters select as CSV. The browser reads it page by page, up to {@link MOST_ROWS}. */
export function ExportButton<Item>({ read, columns, name }: Options<Item>) {
  const [count, setCount] = useState<number>();
  const [isCut, setCut] = useState(false);
  const abort = useRef(new AbortController());
  useEffect(() => () => abort.current.abort(), []);
  const work = useAction(async () => {
    setCut(false);
    const rows: Cell[][] = [];
    let after: string | null = null;
    try {
      do {
        setCount(rows.length);
        const page: Page<Item> = await read(after ?? undefined, abort.current.signal);
        rows.push(...page.items.map((one) => Object.values(columns).map((cell) => cell(one))));
        after = page.next;
      } while (after !== null && rows.length < MOST_ROWS);
    } catch (error) {
      if (abort.current.signal.aborted) return;
      throw error;
    } finally {
      setCount(undefined);
    }
    save(csvOf([Object.keys(columns), ...rows.slice(0, MOST_ROWS)]), `${name}.csv`);
    setCut(after !== null || rows.length > MOST_ROWS);
  });
  return (
    <>
      <Button onClick={work.run} isBusy={work.isBusy}>
        {count === undefined ? t().lists.csv : t().lists.csvRead(number(count))}
      </Button>
      <div role="status">{isCut && <p class="hint">{t().lists.csvCut(number(MOST_ROWS))}</p>}</div>
      <ErrorNote error={work.error} />
    </>
  );
}
