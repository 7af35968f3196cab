import type { ComponentChildren } from 'preact';
import { useData } from '../core/use-data.js';
import type { Steps } from '../core/use-steps.js';
import { t } from '../text/index.js';
import { Button, ErrorNote, Note } from './basics.js';
import { Dialog } from './dialog.js';

/** The number of items that the work would change. */
export interface Count {
  readonly text: ComponentChildren;
  readonly isNothing: boolean;
}

interface LongWorkOptions<Sum> {
  readonly title: string;
  readonly hint: string;
  readonly start: string;
  readonly isDanger?: boolean;
  readonly steps: Steps<Sum>;
  readonly progressOf: (sum: Sum) => ComponentChildren;
  /** False when the user should look at the result. */
  readonly isGood?: (sum: Sum) => boolean;
  readonly count: (signal: AbortSignal) => Promise<Count>;
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
  const { isGood = () => true, onClose, onDiscard, children } = options;
  const { sum, isDone, isBusy } = steps;
  const isBegun = sum !== undefined || isBusy;
  const counted = useData(`count ${title} ${asked}`, async (signal) =>
    isBegun ? undefined : options.count(signal),
  );
  const { text, isNothing } = counted.value ?? {};
  const isKept = onDiscard !== undefined && isBegun;
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{hint}</p>
      {(isKept || !isBegun) && children}
      <div role="status">
        {!isBegun && counted.error === undefined && <Note tone="off">{text ?? t().counting}</Note>}
        {sum !== undefined && (
          <Note tone={isDone && isGood(sum) ? 'good' : 'wait'}>{progressOf(sum)}</Note>
        )}
      </div>
      <ErrorNote error={steps.error ?? counted.error} />
      <div class="form-end">
        <Button onClick={onClose}>{isDone || isKept ? t().close : t().cancel}</Button>
        {(sum !== undefined || isNothing === false) && !isDone && !isBusy && (
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
