import { useRef, useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import type { Replay } from '../core/model.js';
import { useSteps } from '../core/use-steps.js';
import { t } from '../text/index.js';
import { Field } from '../ui/basics.js';
import { LongWork } from '../ui/long-work.js';

const HOUR = 3_600_000;
const SPANS = [
  ['lastHour', HOUR],
  ['lastDay', 24 * HOUR],
  ['lastWeek', 168 * HOUR],
] as const;

export type BulkKind = 'recover' | 'backfill';

interface Options {
  readonly kind: BulkKind;
  /** Asks the API for one step. */
  readonly step: (kind: BulkKind, body: object) => Promise<Replay>;
  readonly onClose: () => void;
}

/** Sends an endpoint its failed deliveries again, or the messages that it has missed. */
export function BulkDialog({ kind, step, onClose }: Options) {
  const [span, setSpan] = useState<number>(24 * HOUR);
  const since = useRef('');
  const steps = useSteps<number>(async (after, before = 0) => {
    const { scheduled, next } = await step(kind, {
      since: since.current,
      ...(after !== undefined && { after }),
    });
    return { sum: before + scheduled, next };
  });
  return (
    <LongWork
      title={t()[kind]}
      hint={kind === 'recover' ? t().recoverHint : t().backfillHint}
      start={t().start}
      steps={steps}
      progressOf={t().progress}
      asked={String(span)}
      onClose={onClose}
      count={async () => {
        since.current = new Date(now() - span).toISOString();
        const { scheduled, next } = await step(kind, { since: since.current, dryRun: true });
        return {
          text: next === null ? t().counted(scheduled) : t().countedMore(scheduled),
          isNothing: scheduled === 0 && next === null,
        };
      }}
    >
      <Field label={t().since}>
        {(attributes) => (
          <select
            {...attributes}
            value={String(span)}
            onChange={({ currentTarget }) => setSpan(Number(currentTarget.value))}
          >
            {SPANS.map(([name, value]) => (
              <option key={name} value={String(value)}>
                {t()[name]}
              </option>
            ))}
          </select>
        )}
      </Field>
    </LongWork>
  );
}
