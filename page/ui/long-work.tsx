import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../core/use-data.js';
import type { Steps } from '../core/use-steps.js';
import { t } from '../text/index.js';
import { Button, ErrorNote, Note } from './basics.js';
import { Dialog } from './dialog.js';

/** The number of items that the work would change. */
export interface Count {
  readonly text: string;
  readonly isNothing: boolean;
}

interface LongWorkOptions<Sum> {
  readonly title: string;
  readonly hint: string;
  readonly start: string;
  readonly isDanger?: boolean;
  readonly steps: Steps<Sum>;
  readonly progressOf: (sum: Sum) => string;
  readonly count: () => Promise<Count>;
  /** The values in `children`. When they change, the items are counted again. */
  readonly asked?: string;
  readonly onClose: () => void;
  /** Given when the work goes on without the dialog. It discards work that was stopped. */
  readonly onDiscard?: () => void;
  /** Fields, until the work begins. */
  readonly children?: ComponentChildren;
}

/** Counts first, then works in steps with their progress, which can be stopped and resumed. */
export function LongWork<Sum>(options: LongWorkOptions<Sum>) {
  const { title, hint, start, isDanger = false, steps, progressOf, asked = '' } = options;
  const { onClose, onDiscard, children } = options;
  const [counted, setCounted] = useState<Count & { readonly asked: string }>();
  const counting = useAction(async () => setCounted({ ...(await options.count()), asked }));
  const known = counted?.asked === asked ? counted : undefined;
  const { sum, isDone, isBusy } = steps;
  const isKept = onDiscard !== undefined && (sum !== undefined || isBusy);
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{hint}</p>
      {(isKept || (sum === undefined && !isBusy)) && children}
      <div role="status">
        {sum === undefined && known !== undefined && <Note tone="off">{known.text}</Note>}
        {sum !== undefined && <Note tone={isDone ? 'good' : 'wait'}>{progressOf(sum)}</Note>}
      </div>
      <ErrorNote error={counting.error ?? steps.error} />
      <div class="form-end">
        <Button onClick={onClose}>{isDone || isKept ? t().close : t().cancel}</Button>
        {known === undefined && sum === undefined && !isBusy && (
          <Button kind="primary" onClick={counting.run} isBusy={counting.isBusy}>
            {t().count}
          </Button>
        )}
        {(sum !== undefined || known?.isNothing === false) && !isDone && !isBusy && (
          <Button kind={isDanger ? 'danger' : 'primary'} onClick={steps.run}>
            {sum === undefined ? start : t().resume}
          </Button>
        )}
        {isKept && !isDone && !isBusy && <Button onClick={onDiscard}>{t().discard}</Button>}
        {isBusy && <Button onClick={steps.stop}>{t().stop}</Button>}
      </div>
    </Dialog>
  );
}
