import { useState } from 'preact/hooks';
import type { TestResult } from '../core/model.js';
import { owner } from '../core/source.js';
import { useAction } from '../core/use-data.js';
import { attemptError, milliseconds, t } from '../text/index.js';
import { Button, ErrorNote, Field, Note } from '../ui/basics.js';
import { useCatalogue } from './event-picker.js';

/** Sends an example to an endpoint and shows its answer. */
export function TestPanel({ id }: { readonly id: string }) {
  const catalogue = useCatalogue();
  const [event, setEvent] = useState('');
  const [result, setResult] = useState<TestResult>();
  const action = useAction(async () => {
    setResult(undefined);
    setResult(await owner.test(id, event === '' ? undefined : event));
  });
  const names = (catalogue.value?.items ?? [])
    .map(({ name }) => name)
    .filter((name) => !name.includes('{'));
  return (
    <>
      <p class="hint">{t().testHint}</p>
      <Field label={t().testEvent}>
        {(attributes) => (
          <select
            {...attributes}
            value={event}
            onChange={({ currentTarget }) => setEvent(currentTarget.value)}
          >
            <option value="">{t().ping}</option>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Button onClick={action.run} isBusy={action.isBusy}>
        {t().test}
      </Button>
      <div role="status" class="test-result">
        {result !== undefined && (
          <Note tone={result.outcome === 'succeeded' ? 'good' : 'bad'}>
            {resultText(result)} <span class="faint">{milliseconds(result.duration)}</span>
          </Note>
        )}
      </div>
      <ErrorNote error={action.error} />
    </>
  );
}

function resultText({ outcome, status, error }: TestResult): string {
  if (status === null) return error === null ? t().testFailed : attemptError(error);
  return outcome === 'succeeded' ? t().testSucceeded(status) : t().testAnswered(status);
}
