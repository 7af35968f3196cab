import { useState } from 'preact/hooks';
import type { TestResult } from '../core/model.js';
import { owner } from '../core/source.js';
import { useAction, useData } from '../core/use-data.js';
import { attemptError, milliseconds, t } from '../text/index.js';
import { refusalText } from '../text/problem-text.js';
import { Button, ErrorNote, Field, Note } from '../ui/basics.js';
import { Content } from '../ui/content.js';
import { AnswerHeaders } from './answer-headers.js';
import { useCatalogue } from './event-picker.js';

/** Sends an example, or other data, to an endpoint and shows its answer. */
export function TestPanel({ id }: { readonly id: string }) {
  const catalogue = useCatalogue();
  const [event, setEvent] = useState('');
  const [typed, setTyped] = useState<string>();
  const [isWrong, setWrong] = useState(false);
  const [result, setResult] = useState<TestResult>();
  const example = useData(`test ${event}`, async (signal) =>
    event === '' ? {} : ((await owner.eventType(event, signal)).example ?? {}),
  );
  const text = typed ?? (example.value === undefined ? '' : JSON.stringify(example.value, null, 2));
  const action = useAction(async () => {
    setResult(undefined);
    setWrong(false);
    let data: unknown;
    if (typed !== undefined) {
      try {
        data = JSON.parse(typed);
      } catch {
        return setWrong(true);
      }
    }
    setResult(await owner.test(id, { ...(event !== '' && { event }), data }));
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
            onChange={({ currentTarget }) => {
              setEvent(currentTarget.value);
              setTyped(undefined);
            }}
          >
            <option value="">{t().ping}</option>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Field
        label={t().testData}
        error={isWrong ? t().filterInvalid : refusalText(action.error?.refusalOf('data'))}
      >
        {(attributes) => (
          <textarea
            {...attributes}
            class="mono"
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        )}
      </Field>
      <Button kind="primary" onClick={action.run} isBusy={action.isBusy}>
        {t().test}
      </Button>
      <div role="status" class="test-result">
        {result !== undefined && (
          <Note tone={result.outcome === 'succeeded' ? 'good' : 'bad'}>
            {resultText(result)} <span class="faint">{milliseconds(result.duration)}</span>
          </Note>
        )}
      </div>
      {result !== undefined && <Answer result={result} />}
      <ErrorNote error={action.error?.refusalOf('data') === undefined ? action.error : undefined} />
    </>
  );
}

function Answer({ result: { status, response, answerHeaders } }: { readonly result: TestResult }) {
  if (status === null) return null;
  return (
    <>
      {response === null ? (
        <p class="hint">{t().noAnswerBody}</p>
      ) : (
        <Content label={t().answer} text={response} name="answer.txt" />
      )}
      {answerHeaders !== null && <AnswerHeaders headers={answerHeaders} />}
    </>
  );
}

function resultText({ outcome, status, error }: TestResult): string {
  if (status === null) return error === null ? t().testFailed : attemptError(error);
  return outcome === 'succeeded' ? t().testSucceeded(status) : t().testAnswered(status);
}
