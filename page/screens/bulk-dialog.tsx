import { useEffect, useRef, useState } from 'preact/hooks';
import type { Replay } from '../core/model.js';
import { owner } from '../core/source.js';
import { useAction } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, ErrorNote, Field, Note } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';

const HOUR = 3_600_000;
const SPANS = [
  ['lastHour', HOUR],
  ['lastDay', 24 * HOUR],
  ['lastWeek', 168 * HOUR],
] as const;

interface Options {
  readonly id: string;
  readonly kind: 'recover' | 'backfill';
  readonly onClose: () => void;
}

/** Counts first, then sends in steps, which can be stopped and resumed where they were. */
export function BulkDialog({ id, kind, onClose }: Options) {
  const [span, setSpan] = useState<number>(24 * HOUR);
  const [count, setCount] = useState<Replay>();
  const [sent, setSent] = useState<{ readonly total: number; readonly next: string | null }>();
  const isStopped = useRef(false);
  const since = useRef('');
  useEffect(
    () => () => {
      isStopped.current = true;
    },
    [],
  );
  const counting = useAction(async () => {
    since.current = new Date(Date.now() - span).toISOString();
    setCount(await owner.bulk(id, kind, { since: since.current, dryRun: true }));
  });
  const sending = useAction(async () => {
    isStopped.current = false;
    let { total, next } = sent ?? { total: 0, next: null };
    do {
      const after = next === null ? {} : { after: next };
      const step = await owner.bulk(id, kind, { since: since.current, ...after });
      total += step.scheduled;
      next = step.next;
      setSent({ total, next });
    } while (next !== null && !isStopped.current);
  });
  const isDone = sent !== undefined && sent.next === null;
  return (
    <Dialog title={t()[kind]} onClose={onClose}>
      <p>{kind === 'recover' ? t().recoverHint : t().backfillHint}</p>
      {sent === undefined && (
        <Field label={t().since}>
          {(attributes) => (
            <select
              {...attributes}
              value={String(span)}
              onChange={({ currentTarget }) => {
                setSpan(Number(currentTarget.value));
                setCount(undefined);
              }}
            >
              {SPANS.map(([name, value]) => (
                <option key={name} value={String(value)}>
                  {t()[name]}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <div role="status">
        {count !== undefined && sent === undefined && (
          <Note tone="off">
            {count.next === null ? t().counted(count.scheduled) : t().countedMore(count.scheduled)}
          </Note>
        )}
        {sent !== undefined && (
          <Note tone={isDone ? 'good' : 'wait'}>{t().progress(sent.total)}</Note>
        )}
      </div>
      <ErrorNote error={counting.error ?? sending.error} />
      <div class="form-end">
        <Button onClick={onClose}>{isDone ? t().close : t().cancel}</Button>
        {count === undefined && (
          <Button kind="primary" onClick={counting.run} isBusy={counting.isBusy}>
            {t().count}
          </Button>
        )}
        {count !== undefined && count.scheduled > 0 && !isDone && !sending.isBusy && (
          <Button kind="primary" onClick={sending.run}>
            {sent === undefined ? t().start : t().resume}
          </Button>
        )}
        {sending.isBusy && (
          <Button
            onClick={() => {
              isStopped.current = true;
            }}
          >
            {t().stop}
          </Button>
        )}
      </div>
    </Dialog>
  );
}
