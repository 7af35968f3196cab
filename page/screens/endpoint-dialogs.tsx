import { useState } from 'preact/hooks';
import type { WithSecret } from '../core/model.js';
import { onceOnly, type SendOnce } from '../core/once.js';
import { go } from '../core/router.js';
import { owner } from '../core/source.js';
import { type Action, useAction } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, ErrorNote, Field, Note } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';
import { Secret } from './add-endpoint.js';

interface DialogOptions {
  readonly id: string;
  readonly onClose: () => void;
}

interface QuestionOptions {
  readonly title: string;
  readonly hint: string;
  readonly yes: string;
  readonly action: Action<[]>;
  readonly onClose: () => void;
}

function Question({ title, hint, yes, action, onClose }: QuestionOptions) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{hint}</p>
      <ErrorNote error={action.error} />
      <div class="form-end">
        <Button onClick={onClose}>{t().cancel}</Button>
        <Button kind="danger" onClick={action.run} isBusy={action.isBusy}>
          {yes}
        </Button>
      </div>
    </Dialog>
  );
}

interface DisableOptions extends Pick<DialogOptions, 'onClose'> {
  readonly onYes: () => void;
}

/** Asks only: the screen behind it shows the change at once, and why it is refused. */
export function DisableDialog({ onYes, onClose }: DisableOptions) {
  return (
    <Question
      title={t().disableTitle}
      hint={t().disableHint}
      yes={t().disable}
      action={{ run: onYes, isBusy: false, error: undefined }}
      onClose={onClose}
    />
  );
}

export function DeleteDialog({ id, onClose }: DialogOptions) {
  const action = useAction(async () => {
    await owner.remove(id);
    go('/endpoints');
  });
  return (
    <Question
      title={t().deleteTitle}
      hint={t().deleteHint}
      yes={t().remove}
      action={action}
      onClose={onClose}
    />
  );
}

const HOUR = 3_600_000;
const OVERLAPS = [0, HOUR, 24 * HOUR, 168 * HOUR] as const;

export function RotateDialog({ id, onClose }: DialogOptions) {
  const [overlap, setOverlap] = useState<number>(24 * HOUR);
  const [rotate] = useState(() => onceOnly((body, key) => owner.rotate(id, body, key)));
  const [rotated, setRotated] = useState<Awaited<ReturnType<SendOnce<WithSecret>>>>();
  const action = useAction(async () => setRotated(await rotate({ overlap })));
  // The secret is shown once. The key Escape must not close the dialog, neither with the secret nor while its answer is
  // under way.
  if (rotated !== undefined) {
    return (
      <Dialog key="done" title={t().rotated} onClose={onClose} isKept>
        {rotated.isEarlier && <Note>{t().form.earlier}</Note>}
        <Secret value={rotated.answer.secret} />
        <div class="form-end">
          <Button kind="primary" onClick={onClose}>
            {t().done}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog key="ask" title={t().rotateTitle} onClose={onClose} isKept={action.isBusy}>
      <p>{t().rotateHint}</p>
      <Field label={t().overlap}>
        {(attributes) => (
          <select
            {...attributes}
            value={String(overlap)}
            onChange={({ currentTarget }) => setOverlap(Number(currentTarget.value))}
          >
            {OVERLAPS.map((one) => (
              <option key={one} value={String(one)}>
                {nameOf(one / HOUR)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <ErrorNote error={action.error} />
      <div class="form-end">
        <Button onClick={onClose} isBusy={action.isBusy}>
          {t().cancel}
        </Button>
        <Button kind="danger" onClick={action.run} isBusy={action.isBusy}>
          {t().rotate}
        </Button>
      </div>
    </Dialog>
  );
}

function nameOf(hours: number): string {
  if (hours === 0) return t().atOnce;
  return hours < 48 ? t().hours(hours) : t().days(hours / 24);
}
