import { useState } from 'preact/hooks';
import { now } from '../core/clock.js';
import type { WithSecret } from '../core/model.js';
import { onceOnly, type SendOnce } from '../core/once.js';
import { go } from '../core/router.js';
import { owner } from '../core/source.js';
import { type Action, useAction } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, ErrorNote, Field, Note } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';
import { Secret } from './add-endpoint.js';
import { until } from './delivery-status.js';

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

/** Ends the overlap of a rotation. */
export function EndRotationDialog({ id, onDone, onClose }: DialogOptions & { onDone: () => void }) {
  const texts = t().endpointTexts.rotation;
  const action = useAction(async () => {
    await owner.endRotation(id);
    onDone();
  });
  return (
    <Question
      title={texts.endTitle}
      hint={texts.endNowHint}
      yes={texts.endNow}
      action={action}
      onClose={onClose}
    />
  );
}

const HOUR = 3_600_000;
const OVERLAPS = [HOUR, 24 * HOUR, 168 * HOUR] as const;

export function RotateDialog({ id, onClose }: DialogOptions) {
  const texts = t().endpointTexts.rotation;
  const [isKept, setKept] = useState(true);
  const [time, setTime] = useState<number>(24 * HOUR);
  const [rotate] = useState(() => onceOnly((body, key) => owner.rotate(id, body, key)));
  const [rotated, setRotated] = useState<Awaited<ReturnType<SendOnce<WithSecret>>>>();
  const overlap = isKept ? time : 0;
  const action = useAction(async () => setRotated(await rotate({ overlap })));
  // The secret is shown once. The key Escape must not close the dialog, neither with the secret nor while its answer is
  // under way.
  if (rotated !== undefined) {
    const { secret, rotationEndsAt } = rotated.answer;
    return (
      <Dialog key="done" title={t().rotated} onClose={onClose} isKept>
        {rotated.isEarlier && <Note>{t().form.earlier}</Note>}
        <Secret value={secret} />
        <p>
          {rotationEndsAt === null ? texts.one : texts.both(until(rotationEndsAt), texts.endNow)}
        </p>
        <div class="form-end">
          <Button kind="primary" onClick={onClose}>
            {t().done}
          </Button>
        </div>
      </Dialog>
    );
  }
  const choice = (kept: boolean, title: string, hint: string) => (
    <label class="choice">
      <input type="radio" name="old" checked={isKept === kept} onChange={() => setKept(kept)} />
      <span>
        {title}
        <small>{hint}</small>
      </span>
    </label>
  );
  return (
    <Dialog key="ask" title={t().rotateTitle} onClose={onClose} isKept={action.isBusy}>
      <p>{texts.hint}</p>
      <fieldset>
        <legend>{texts.old}</legend>
        {choice(true, texts.keep, texts.keepHint(until(new Date(now() + time).toISOString())))}
        {isKept && (
          <Field label={t().overlap}>
            {(attributes) => (
              <select
                {...attributes}
                value={String(time)}
                onChange={({ currentTarget }) => setTime(Number(currentTarget.value))}
              >
                {OVERLAPS.map((one) => (
                  <option key={one} value={String(one)}>
                    {nameOf(one / HOUR)}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        {choice(false, texts.end, texts.endHint)}
      </fieldset>
      <p class="hint">{texts.leaked(texts.endNow)}</p>
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
  return hours < 48 ? t().hours(hours) : t().days(hours / 24);
}
