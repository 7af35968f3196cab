import { useState } from 'preact/hooks';
import { ApiError } from '../core/client.js';
import type { FilterPreview as Preview } from '../core/model.js';
import { owner } from '../core/source.js';
import { useAction } from '../core/use-data.js';
import { t } from '../text/index.js';
import { refusalText } from '../text/problem-text.js';
import { Button, ErrorNote, Note, Time } from '../ui/basics.js';
import { Table } from '../ui/table.js';

interface Options {
  readonly text: string;
  readonly events: readonly string[];
  readonly exclude: readonly string[];
}

/** Tries a filter on the latest messages. Nothing is stored. */
export function FilterPreview({ text, events, exclude }: Options) {
  const [found, setFound] = useState<{ readonly of: string; readonly preview: Preview }>();
  const of = JSON.stringify([text, events, exclude]);
  const action = useAction(async () => {
    let filter: unknown;
    try {
      filter = text.trim() === '' ? null : JSON.parse(text);
    } catch {
      throw new ApiError(-1, { detail: t().filterInvalid });
    }
    const patterns = events.length === 0 ? {} : { events };
    setFound({ of, preview: await owner.previewFilter({ filter, exclude, ...patterns }) });
  });
  // A result for another filter says nothing about this filter.
  const preview = found?.of === of ? found.preview : undefined;
  return (
    <div class="filter-preview">
      <Button onClick={action.run} isBusy={action.isBusy}>
        {t().form.preview}
      </Button>
      <ErrorNote error={action.error} />
      <div role="status">
        {preview !== undefined && (
          <Note tone="off">
            {preview.items.length === 0
              ? t().form.noMessages
              : t().form.passed(preview.passed, preview.items.length)}
          </Note>
        )}
        {preview?.warnings.map((one) => (
          <Note key={one.code}>{refusalText(one)}</Note>
        ))}
      </div>
      {preview !== undefined && preview.items.length > 0 && (
        <details>
          <summary>{t().form.previewed}</summary>
          <Table
            caption={t().form.previewed}
            rows={preview.items}
            keyOf={(one) => one.messageId}
            columns={[
              { title: t().event, kind: 'wide', cell: (one) => one.event },
              { title: t().time, cell: (one) => <Time at={one.time} /> },
              {
                title: t().filter,
                cell: (one) => (
                  <span class={`badge ${one.passes ? 'good' : 'off'}`}>
                    {one.passes ? t().form.passes : t().form.stopped}
                  </span>
                ),
              },
            ]}
          />
        </details>
      )}
    </div>
  );
}
