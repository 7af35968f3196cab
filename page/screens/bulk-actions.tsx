import { type Signal, signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { ApiError } from '../core/client.js';
import { type DeliverySource, MOST_RETRIED } from '../core/deliveries.js';
import { can, visit } from '../core/session.js';
import type { Query } from '../core/source.js';
import { type Steps, stepsOf } from '../core/use-steps.js';
import { dateHour, number, t } from '../text/index.js';
import { Button } from '../ui/basics.js';
import { LongWork } from '../ui/long-work.js';
import { hasWorked, NONE, plus, type Resent, ResentText, resultOf } from './resent.js';

type Kind = 'retry' | 'cancel';
/** The number of deliveries in one step: the API retries many in one request, and cancels each by its own. */
const STEP = { retry: MOST_RETRIED, cancel: 5 } as const;
const COUNTED = 1000;
/** A step is never aborted, because its changes have to be counted. */
const NEVER = new AbortController().signal;

interface Options {
  readonly source: DeliverySource;
  /** The filters of the screen, as the API names them. */
  readonly filters: () => Query;
}

interface Run {
  /** A span of time that ends now is the same for all steps. */
  readonly filters: Query;
  readonly steps: Steps<Resent>;
}

const noRuns = (): Readonly<Record<Kind, Signal<Run | undefined>>> => ({
  retry: signal<Run>(),
  cancel: signal<Run>(),
});
/** The work that was begun. It goes on when its dialog is closed and the user looks at another screen. */
const RUNS = { '': noRuns(), '/operator': noRuns() };
// Another link may be for another owner, whose deliveries the work must not change.
visit.subscribe(() => {
  for (const run of Object.values(RUNS).flatMap((one) => Object.values(one))) {
    run.peek()?.steps.stop();
    run.value = undefined;
  }
});

/** Retries all deliveries that the filters select. Operators cancel them as well. */
export function BulkActions({ source, filters }: Options) {
  const [open, setOpen] = useState<Kind>();
  const runs = RUNS[source.base];
  const { status } = filters();
  const canCancel = source.base !== '' && (!status || status === 'pending');
  const isOffered = {
    retry: can('retry'),
    cancel: canCancel || runs.cancel.value !== undefined,
  };
  const restart = (kind: Kind) => {
    runs[kind].value = begin(kind, source, filters());
  };
  const show = (kind: Kind) => {
    if (runs[kind].value === undefined) restart(kind);
    setOpen(kind);
  };
  const close = (kind: Kind) => {
    const { sum, isBusy, isDone } = runs[kind].value!.steps;
    if ((sum === undefined && !isBusy) || isDone) runs[kind].value = undefined;
    setOpen(undefined);
  };
  return (
    <>
      {(['retry', 'cancel'] as const)
        .filter((kind) => isOffered[kind])
        .map((kind) => (
          <Button key={kind} onClick={() => show(kind)}>
            {titleOf(kind, runs[kind].value?.filters ?? filters())}
            {kind !== open && <Progress kind={kind} run={runs[kind].value} />}
          </Button>
        ))}
      {open !== undefined && runs[open].value !== undefined && (
        <BulkDialog
          key={runs[open].value.steps}
          kind={open}
          source={source}
          run={runs[open].value}
          onClose={() => close(open)}
          onDiscard={() => restart(open)}
        />
      )}
    </>
  );
}

function titleOf(kind: Kind, { status }: Query): string {
  if (kind === 'cancel') return t().operators.cancelAll;
  return !status || status === 'failed' ? t().lists.retryAll : t().lists.retryMatching;
}

interface ProgressOptions {
  readonly kind: Kind;
  readonly run: Run | undefined;
}

/** The progress of the work, on the button that opens its dialog again. */
function Progress({ kind, run }: ProgressOptions) {
  if (run === undefined) return null;
  const { sum, isBusy, isDone } = run.steps;
  const text = sum === undefined ? '…' : doneText(kind)(number(sum.done));
  return <small> {isBusy || isDone ? text : t().lists.stoppedAt(text)}</small>;
}

function doneText(kind: Kind): (count: string) => string {
  return kind === 'retry' ? t().lists.sent : t().operators.cancelled;
}

function begin(kind: Kind, source: DeliverySource, asked: Query): Run {
  const chosen = kind === 'cancel' ? 'pending' : asked['status'];
  // Only failed deliveries are sent again unless the user asks for others.
  const filters = { ...asked, status: chosen || 'failed' };
  const steps = stepsOf<Resent>(async (after, sum = NONE) => {
    const { items, next } = await source.list(
      { ...filters, limit: String(STEP[kind]), after },
      NEVER,
    );
    const ids = items.map(({ id }) => id);
    // The API refuses an empty selection.
    if (ids.length === 0) return { sum, next };
    const results =
      kind === 'retry'
        ? (await source.retrySelected(ids)).items
        : await Promise.all(ids.map((id) => cancel(source, id)));
    return { sum: plus(sum, resultOf(results)), next };
  });
  return { filters, steps };
}

/** @returns the code of the problem when the delivery is not pending any more, or an attempt is under way */
async function cancel(source: DeliverySource, id: string) {
  try {
    await source.cancel(id);
    return { code: null };
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 409)) {
      return { code: error.problem.code ?? 'not-found' };
    }
    throw error;
  }
}

interface DialogOptions {
  readonly kind: Kind;
  readonly source: DeliverySource;
  readonly run: Run;
  readonly onClose: () => void;
  readonly onDiscard: () => void;
}

function BulkDialog({ kind, source, run: { filters, steps }, onClose, onDiscard }: DialogOptions) {
  const texts = t().lists;
  const isRetry = kind === 'retry';
  return (
    <LongWork
      title={titleOf(kind, filters)}
      hint={steps.isBusy ? texts.goesOn : isRetry ? texts.retryHint : t().operators.cancelAllHint}
      start={isRetry ? t().retry : t().operators.start}
      isDanger={!isRetry}
      steps={steps}
      onClose={onClose}
      onDiscard={onDiscard}
      progressOf={(sum) => <ResentText of={sum} text={doneText(kind)} />}
      isGood={hasWorked}
      count={async (signal) => {
        let [count, after]: [number, string | undefined] = [0, undefined];
        do {
          const page = await source.list({ ...filters, limit: '100', after }, signal);
          count += page.items.length;
          after = page.next ?? undefined;
        } while (after !== undefined && count < COUNTED);
        const isAll = after === undefined;
        return { text: texts.matching(number(count), isAll), isNothing: count === 0 && isAll };
      }}
    >
      <p class="hint">
        {t().filters}: <bdi>{Object.entries(filters).flatMap(textOf).join(' · ')}</bdi>
      </p>
    </LongWork>
  );
}

/** A filter in the words of the screen. */
function textOf([name, value]: [string, string | undefined]): string | [] {
  if (!value) return [];
  if (name === 'status') return t()[value as 'failed'];
  const { from, to } = t().lists;
  const ends: Readonly<Record<string, string>> = { since: from, until: to };
  return ends[name] === undefined ? value : `${ends[name]} ${dateHour(value)}`;
}
