import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { ApiError } from '../core/client.js';
import { operatorDeliveries } from '../core/deliveries.js';
import type { Query } from '../core/source.js';
import { type Steps, stepsOf } from '../core/use-steps.js';
import { number, t } from '../text/index.js';
import { Button } from '../ui/basics.js';
import { LongWork } from '../ui/long-work.js';

type Kind = 'retry' | 'cancel';
const STATUS = { retry: 'failed', cancel: 'pending' } as const;
/** The number of deliveries in one step, whose requests run at the same time. */
const STEP = 20;
const AT_ONCE = 5;
const COUNTED = 1000;
/** A step is never aborted, because its changes have to be counted. */
const NEVER = new AbortController().signal;

interface Options {
  /** The filters of the screen, as the API names them. */
  readonly filters: () => Query;
}

interface Run {
  /** A span of time that ends now is the same for all steps. */
  readonly filters: Query;
  readonly steps: Steps<Result>;
}

/** The work that was begun. It goes on when its dialog is closed and the user looks at another screen. */
const runs = { retry: signal<Run>(), cancel: signal<Run>() };

/** Retries or cancels all deliveries that the filters select. */
export function BulkActions({ filters }: Options) {
  const [open, setOpen] = useState<Kind>();
  const { status } = filters();
  const show = (kind: Kind) => {
    runs[kind].value ??= begin(kind, filters());
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
        .filter((kind) => !status || status === STATUS[kind] || runs[kind].value !== undefined)
        .map((kind) => (
          <Button key={kind} onClick={() => show(kind)}>
            {t().operators[`${kind}All`]}
            {kind !== open && <Progress kind={kind} />}
          </Button>
        ))}
      {open !== undefined && runs[open].value !== undefined && (
        <BulkDialog
          key={runs[open].value.steps}
          kind={open}
          run={runs[open].value}
          onClose={() => close(open)}
          onDiscard={() => {
            runs[open].value = begin(open, filters());
          }}
        />
      )}
    </>
  );
}

/** The progress of the work, on the button that opens its dialog again. */
function Progress({ kind }: { readonly kind: Kind }) {
  const steps = runs[kind].value?.steps;
  if (steps === undefined) return null;
  const text = steps.sum === undefined ? '…' : textOf(kind, steps.sum);
  return <small> {steps.isBusy || steps.isDone ? text : t().operators.stoppedAt(text)}</small>;
}

function begin(kind: Kind, filters: Query): Run {
  const query = { ...filters, status: STATUS[kind] };
  const steps = stepsOf<Result>(async (after, sum = { done: 0, refused: 0 }) => {
    const page = await operatorDeliveries.list({ ...query, limit: String(STEP), after }, NEVER);
    const results: boolean[] = [];
    for (let at = 0; at < page.items.length; at += AT_ONCE) {
      const some = page.items.slice(at, at + AT_ONCE);
      results.push(...(await Promise.all(some.map(({ id }) => change(kind, id)))));
    }
    const done = results.filter(Boolean).length;
    return {
      sum: { done: sum.done + done, refused: sum.refused + results.length - done },
      next: page.next,
    };
  });
  return { filters, steps };
}

function textOf(kind: Kind, { done, refused }: Result): string {
  return t().operators[kind === 'retry' ? 'retried' : 'cancelled'](number(done), number(refused));
}

interface DialogOptions {
  readonly kind: Kind;
  readonly run: Run;
  readonly onClose: () => void;
  readonly onDiscard: () => void;
}

function BulkDialog({ kind, run: { filters, steps }, onClose, onDiscard }: DialogOptions) {
  const texts = t().operators;
  const query = { ...filters, status: STATUS[kind] };
  const chosen = Object.values(filters).filter(Boolean).join(' · ');
  return (
    <LongWork
      title={texts[`${kind}All`]}
      hint={`${texts[`${kind}AllHint`]} ${texts.goesOn}`}
      start={texts.start}
      isDanger={kind === 'cancel'}
      steps={steps}
      onClose={onClose}
      onDiscard={onDiscard}
      progressOf={(sum) => textOf(kind, sum)}
      count={async () => {
        let [count, after]: [number, string | undefined] = [0, undefined];
        do {
          const page = await operatorDeliveries.list({ ...query, limit: '100', after }, NEVER);
          count += page.items.length;
          after = page.next ?? undefined;
        } while (after !== undefined && count < COUNTED);
        const isAll = after === undefined;
        const text = texts[kind === 'retry' ? 'wouldRetry' : 'wouldCancel'](number(count), isAll);
        return { text, isNothing: count === 0 && isAll };
      }}
    >
      {chosen !== '' && (
        <p class="hint">
          {t().filters}: <bdi>{chosen}</bdi>
        </p>
      )}
    </LongWork>
  );
}

interface Result {
  readonly done: number;
  readonly refused: number;
}

/** @returns false when the delivery is not in that state any more, or its body was dropped */
async function change(kind: Kind, id: string): Promise<boolean> {
  try {
    await operatorDeliveries[kind](id);
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return false;
    throw error;
  }
}
