import { useState } from 'preact/hooks';
import type { SentRequest } from '../../lib/outbox/index.js';
import type { ShownAttempt } from '../core/deliveries.js';
import type { Finding, SeenFacts } from '../core/findings.js';
import { findDifferences } from '../core/signature.js';
import { bytesOf, bytesOfBase64 } from '../core/signing.js';
import { useAction } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, ErrorNote, Field, Note } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';

interface Options {
  readonly request: SentRequest;
  readonly attempts: readonly ShownAttempt[];
  readonly onClose: () => void;
}

const EMPTY: SeenFacts = { secret: '', headers: '', body: '', computed: '' };

/** Finds out why a receiver refuses a signature. The secret stays in this browser. */
export function SignatureDialog({ request, attempts, onClose }: Options) {
  const [seen, setSeen] = useState(EMPTY);
  const [findings, setFindings] = useState<readonly Finding[]>();
  const comparing = useAction(async () => {
    const clockError = clockErrorOf(attempts.at(-1));
    const sent = { id: request.messageId, body: bodyOf(request), clockError };
    setFindings(await findDifferences(sent, seen));
  });
  const change = (changes: Partial<SeenFacts>) => {
    setSeen({ ...seen, ...changes });
    setFindings(undefined);
  };
  const area = (name: 'headers' | 'body', label: string, hint: string) => (
    <Field label={label} hint={hint}>
      {(attributes) => (
        <textarea
          {...attributes}
          spellcheck={false}
          value={seen[name]}
          onInput={({ currentTarget }) => change({ [name]: currentTarget.value })}
        />
      )}
    </Field>
  );
  const line = (name: 'secret' | 'computed', label: string, hint: string) => (
    <Field label={label} hint={hint}>
      {(attributes) => (
        <input
          {...attributes}
          type="text"
          class="mono"
          autoComplete="off"
          spellcheck={false}
          value={seen[name]}
          onInput={({ currentTarget }) => change({ [name]: currentTarget.value })}
        />
      )}
    </Field>
  );
  const texts = t().sent;
  return (
    <Dialog title={texts.why} onClose={onClose}>
      <p class="hint">{texts.whyHint}</p>
      {!isSecureContext && <Note tone="bad">{texts.noCrypto}</Note>}
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          comparing.run();
        }}
      >
        {line('secret', t().secret, texts.secretHint)}
        {area('headers', texts.seenHeaders, texts.seenHeadersHint)}
        {area('body', texts.seenBody, texts.seenBodyHint)}
        {line('computed', texts.computedField, texts.computedHint)}
        <div role="status">
          {findings?.length === 0 && <Note tone="off">{texts.nothing}</Note>}
          {findings?.map(({ tone, say }) => {
            const text = say(t().signature);
            return (
              <Note key={text} tone={tone}>
                {text}
              </Note>
            );
          })}
        </div>
        <ErrorNote error={comparing.error} />
        <div class="form-end">
          <Button onClick={onClose}>{t().close}</Button>
          <Button kind="primary" type="submit" isBusy={comparing.isBusy}>
            {texts.compare}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function bodyOf({ body, bodyEncoding }: SentRequest): Uint8Array<ArrayBuffer> | null {
  if (body === null) return null;
  return bodyEncoding === 'base64' ? bytesOfBase64(body) : bytesOf(body);
}

/** The difference between the receiver's clock and the sender's clock, by the date of the answer. */
function clockErrorOf(attempt: ShownAttempt | undefined): number | null {
  const date = Date.parse(attempt?.answerHeaders?.['date'] ?? '');
  if (attempt === undefined || Number.isNaN(date)) return null;
  return date - (Date.parse(attempt.startedAt) + (attempt.duration ?? 0));
}
