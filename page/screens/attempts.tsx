import { changesOf } from '../core/attempt-changes.js';
import type { ShownAttempt } from '../core/deliveries.js';
import { attemptDetail, attemptError, dateTime, milliseconds, t } from '../text/index.js';
import { StatusCode } from '../ui/basics.js';
import { Content } from '../ui/content.js';
import { AnswerHeaders } from './answer-headers.js';

/** The attempts, the newest first. An answer that came again is told and not repeated. */
export function Timeline({ attempts }: { readonly attempts: readonly ShownAttempt[] }) {
  return (
    <ol class="timeline">
      {[...attempts].reverse().map((attempt) => (
        <AttemptItem
          key={attempt.number}
          attempt={attempt}
          before={attempts.find(({ number }) => number === attempt.number - 1)}
          isLatest={attempt === attempts.at(-1)}
        />
      ))}
    </ol>
  );
}

interface ItemOptions {
  readonly attempt: ShownAttempt;
  readonly before: ShownAttempt | undefined;
  readonly isLatest: boolean;
}

function AttemptItem({ attempt, before, isLatest }: ItemOptions) {
  const { status, error } = attempt;
  const facts = t().attemptFacts;
  const isGood = status !== null && status >= 200 && status < 300;
  const changes = before && changesOf(before, attempt);
  const isSame = changes?.length === 0;
  return (
    <li class={isGood ? 'good' : 'bad'}>
      <div class="attempt-head">
        <h3>{t().attempt(attempt.number)}</h3>
        {status !== null && <StatusCode status={status} />}
        <span class="faint">{milliseconds(attempt.duration)}</span>
        <span class="faint">{dateTime(attempt.startedAt)}</span>
      </div>
      {changes !== undefined && (
        <p class="faint">
          {isSame
            ? t().sent.sameAnswer(attempt.number - 1)
            : t().sent.changed(changes.map((one) => t().sent.changes[one]).join(', '))}
        </p>
      )}
      {!isSame && <AttemptFault attempt={attempt} />}
      {(Object.keys(facts) as (keyof typeof facts)[]).map(
        (name) =>
          attempt[name] != null && (
            <p class="faint" key={name}>
              {facts[name]}: {attempt[name]}
            </p>
          ),
      )}
      {error === null && !isSame && !isLatest && (
        <details>
          <summary>{t().answer}</summary>
          <Answer attempt={attempt} />
        </details>
      )}
    </li>
  );
}

/** Why an attempt has no answer. */
export function AttemptFault({ attempt: { error, address } }: { readonly attempt: ShownAttempt }) {
  if (error === null) return null;
  return (
    <p class="bad">
      {attemptError(error)}
      {/* Operators see the reason itself. */}
      {address !== undefined && (
        <small class="break" lang="en">
          {attemptDetail(error)}
        </small>
      )}
    </p>
  );
}

/** The body and the headers of an answer. */
export function Answer({ attempt }: { readonly attempt: ShownAttempt }) {
  const { status, response, answerHeaders } = attempt;
  if (status === null) return null;
  return (
    <>
      {response === null ? (
        <p class="hint">{t().noAnswerBody}</p>
      ) : (
        <Content label={t().answer} text={response} name={`answer-${attempt.number}.txt`} />
      )}
      {answerHeaders !== null && Object.keys(answerHeaders).length > 0 && (
        <AnswerHeaders headers={answerHeaders} />
      )}
    </>
  );
}
