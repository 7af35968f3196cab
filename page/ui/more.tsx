import type { Pages } from '../core/use-pages.js';
import { t } from '../text/index.js';
import { Button, ErrorNote } from './basics.js';

interface Options {
  readonly pages: Pages<unknown>;
  /** The button's text. Default: "Show more". */
  readonly text?: string;
}

/** The end of a list: reads on, and says when the list is not live any more. */
export function More({ pages: { data, more, isLive, restart }, text = t().more }: Options) {
  return (
    <>
      <ErrorNote error={more.error} />
      <div class="table-end">
        {data.value?.next != null && (
          <Button onClick={more.run} isBusy={more.isBusy}>
            {text}
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
