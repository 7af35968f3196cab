import { useRef, useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import { isoTime, localTime } from '../core/local-time.js';
import type { Replay } from '../core/model.js';
import { useSteps } from '../core/use-steps.js';
import { dateHour, t } from '../text/index.js';
import { Field, TimeZone } from '../ui/basics.js';
import { LongWork } from '../ui/long-work.js';
import { hasWorked, isComplete, NONE, plus, type Resent, ResentText } from './resent.js';
import { beginningOf, type Span, spansAt } from './spans.js';

export type BulkKind = 'recover' | 'backfill';

interface Options {
  readonly kind: BulkKind;
  /** Asks the API for one step. */
  readonly step: (kind: BulkKind, body: object) => Promise<Replay>;
  readonly onClose: () => void;
}

/** Sends an endpoint its failed deliveries again, or the messages that it has missed. */
export function BulkDialog({ kind, step, onClose }: Options) {
  const [span, setSpan] = useState<Span | 'own'>('lastDay');
  const [from, setFrom] = useState(() => new Date(new Date().setHours(0, 0, 0, 0)).toISOString());
  const since = useRef('');
  const read = async (after: string | undefined, before: Resent, dryRun: boolean) => {
    const found = await step(kind, {
      since: since.current,
      ...(dryRun && { dryRun }),
      ...(after !== undefined && { after }),
    });
    return { sum: plus(before, resentOf(found)), next: found.next };
  };
  const steps = useSteps<Resent>((after, before = NONE) => read(after, before, false));
  return (
    <LongWork
      title={t()[kind]}
      hint={kind === 'recover' ? t().recoverHint : t().backfillHint}
      start={t().start}
      steps={steps}
      progressOf={(sum) => <ResentText of={sum} />}
      isGood={hasWorked}
      asked={span === 'own' ? from : span}
      onClose={onClose}
      count={async (signal) => {
        since.current = beginningOf(span, now()) ?? from;
        let found = await read(undefined, NONE, true);
        while (found.sum.done === 0 && found.next !== null && !signal.aborted) {
          found = await read(found.next, found.sum, true);
        }
        const { sum, next } = found;
        const isNothing = sum.done === 0;
        return {
          text:
            isNothing && isComplete(sum) ? (
              t().nothing[kind](dateHour(since.current))
            ) : (
              <ResentText of={sum} text={(count) => t().counted(count, next === null)} />
            ),
          isNothing,
        };
      }}
    >
      <Field label={t().since}>
        {(attributes) => (
          <select
            {...attributes}
            value={span}
            onChange={({ currentTarget }) => setSpan(currentTarget.value as Span | 'own')}
          >
            {spansAt(now(), span).map((name) => (
              <option key={name} value={name}>
                {t()[name]}
              </option>
            ))}
            <option value="own">{t().ownTime}</option>
          </select>
        )}
      </Field>
      {span === 'own' && (
        <>
          <Field label={t().lists.from}>
            {(attributes) => (
              <input
                {...attributes}
                type="datetime-local"
                value={localTime(from)}
                onChange={({ currentTarget }) => setFrom(isoTime(currentTarget.value))}
              />
            )}
          </Field>
          <TimeZone />
        </>
      )}
    </LongWork>
  );
}

function resentOf({ scheduled, expunged, disabled, underWay, resent }: Replay): Resent {
  return {
    done: scheduled,
    leftOut: {
      'message-expunged': expunged,
      'subscriber-disabled': disabled,
      'delivery-under-way': underWay,
      'delivery-resent': resent,
    },
  };
}
