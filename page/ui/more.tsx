import type { Pages } from '../core/use-pages.js';
import { number, t } from '../text/index.js';
import { Button, ErrorNote } from './basics.js';

interface Options {
  readonly pages: Pages<unknown>;
  /** The button's text. Default: "Show more", or "Continue the search" where nothing was found so far. */
  readonly text?: string;
  /** The number of all items, where the API knows it. */
  readonly total?: number | undefined;
}

/** The end of a list: reads on, and says when the list is not live any more. */
export function More({ pages: { data, more, isLive, restart }, text, total }: Options) {
  const { items = [], next = null } = data.value ?? {};
  const byDefault = items.length === 0 ? t().lists.searchOn : t().more;
  return (
    <>
      <ErrorNote error={more.error} />
      <div class="table-end">
        {items.length > 0 && <span class="hint">{shownText(items.length, next, total)}</span>}
        {next !== null && (
          <Button onClick={more.run} isBusy={more.isBusy}>
            {text ?? byDefault}
          </Button>
        )}
        {!isLive && (
          <span class="hint">
            {t().lists.still}{' '}
            <Button kind="quiet" onClick={restart}>
              {t().lists.newest}
            </Button>
          </span>
        )}
      </div>
    </>
  );
}

/** "50 of 620" where the number of all is known, and else whether there are more. */
function shownText(count: number, next: string | null, total?: number): string {
  const texts = t().lists;
  if (next === null) return texts.allShown(number(count));
  return total === undefined
    ? texts.someShown(number(count))
    : texts.shownOf(number(count), number(total));
}
