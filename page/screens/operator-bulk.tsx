import { useState } from 'preact/hooks';
import { ApiError } from '../core/client.js';
import { operatorDeliveries } from '../core/deliveries.js';
import type { Query } from '../core/source.js';
import { useSteps } from '../core/use-steps.js';
import { number, t } from '../text/index.js';
import { Button } from '../ui/basics.js';
import { LongWork } from '../ui/long-work.js';

type Kind = 'retry' | 'cancel';
const STATUS = { retry: 'failed', cancel: 'pending' } as const;
/** Deliveries of one step, and those that are asked for at the same time. */
const STEP = 20;
const AT_ONCE = 5;
const COUNTED = 1000;

interface Options {
  /** The filters of the screen, as the API names them. */
  readonly filters: () => Query;
}

/** Retries or cancels whatever the filters select. */
export function BulkActions({ filters }: Options) {
  const [open, setOpen] = useState<Kind>();
  const { status } = filters();
  return (
    <>
      {(['retry', 'cancel'] as const)
        .filter((kind) => status === undefined || status === '' || status === STATUS[kind])
        .map((kind) => (
          <Button key={kind} onClick={() => setOpen(kind)}>
            {t().operators[`${kind}All`]}
          </Button>
        ))}
      {open !== undefined && (
        <BulkDialog kind={open} filters={filters} onClose={() => setOpen(undefined)} />
      )}
    </>
  );
}

interface DialogOptions extends Options {
  readonly kind: Kind;
  readonly onClose: () => void;
}

function BulkDialog({ kind, filters, onClose }: DialogOptions) {
  const texts = t().operators;
  // A span of time that ends now is the same for all steps.
  const [fixed] = useState(filters);
  const [abort] = useState(() => new AbortController().signal);
  const query = { ...fixed, status: STATUS[kind] };
  const steps = useSteps<Result>(async (after, sum = { done: 0, refused: 0 }) => {
    const page = await operatorDeliveries.list({ ...query, limit: String(STEP), after }, abort);
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
  return (
    <LongWork
      title={texts[`${kind}All`]}
      hint={texts[`${kind}AllHint`]}
      start={texts.start}
      isDanger={kind === 'cancel'}
      steps={steps}
      onClose={onClose}
      progressOf={({ done, refused }) =>
        texts[kind === 'retry' ? 'retried' : 'cancelled'](number(done), number(refused))
      }
      count={async () => {
        let [count, after]: [number, string | undefined] = [0, undefined];
        do {
          const page = await operatorDeliveries.list({ ...query, limit: '100', after }, abort);
          count += page.items.length;
          after = page.next ?? undefined;
        } while (after !== undefined && count < COUNTED);
        const isAll = after === undefined;
        const text = texts[kind === 'retry' ? 'wouldRetry' : 'wouldCancel'](number(count), isAll);
        return { text, isNothing: count === 0 && isAll };
      }}
    />
  );
}

interface Result {
  readonly done: number;
  readonly refused: number;
}

/** @returns false when the delivery is not in that state any more, or its body was dropped */
async function change(kind: Kind, id: string): Promise<boolean> {
  try {
    if (kind === 'cancel') return await operatorDeliveries.cancel(id);
    await operatorDeliveries.retry(id);
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return false;
    throw error;
  }
}
