import { now } from '../core/clock.js';
import type { Change, Delivery, Endpoint } from '../core/model.js';
import { answerText, ago, dateTime, number, percent, t } from '../text/index.js';
import { Button, Note } from '../ui/basics.js';
import type { BulkKind } from './bulk-dialog.js';
import { Actor } from './endpoint-changes.js';

/** Milliseconds for which the screen says that an endpoint works again, or is enabled again. */
const GOOD_NEWS_LASTS = 3 * 86_400_000;

interface HealthOptions {
  readonly endpoint: Endpoint;
  /** The newest changes of the endpoint; undefined until they are read. */
  readonly changes: readonly Change[] | undefined;
  /** The messages that have failed since the latest success, where they are read. */
  readonly failingMessages?: number | undefined;
  /** The newest delivery whose latest attempt failed. */
  readonly failure: Delivery | undefined;
  /** Opens the dialog that sends again. Undefined: the user may not. */
  readonly onBulk: ((kind: BulkKind) => void) | undefined;
}

/** Says what the application is told of the endpoint: that it fails, is disabled, or works again. */
export function HealthNotice(options: HealthOptions) {
  const { endpoint, changes = [], failure, onBulk } = options;
  const texts = t().endpointTexts;
  const { enabled, state, failingSince } = endpoint;
  const news = changes.find(
    ({ kind, fields }) => OF_HEALTH.has(kind) || fields.includes('enabled'),
  );
  if (!enabled) return <DisabledNotice news={news} hasSteps={onBulk !== undefined} />;
  if (state === 'failing') {
    const figures = news?.kind === 'failing' ? news.figures : null;
    const count = options.failingMessages ?? figures?.failingMessages ?? 0;
    return (
      <Note tone="bad">
        <p>
          {t().health.failingNote(dateTime(failingSince!))}{' '}
          {count > 0 && t().health.messages(number(count))}
        </p>
        {figures !== null && <Way figures={figures} failure={failure} />}
      </Note>
    );
  }
  if (news === undefined || now() - Date.parse(news.at) > GOOD_NEWS_LASTS) return null;
  if (news.kind === 'recovered') {
    const count = number(news.figures?.failingMessages ?? 0);
    return (
      <Note tone="good">
        {texts.recovered(dateTime(news.at), count)}{' '}
        {onBulk && <Button onClick={() => onBulk('recover')}>{t().recover}</Button>}
      </Note>
    );
  }
  if (news.kind !== 'changed') return null;
  return (
    <Note>
      {texts.enabledBy(dateTime(news.at))} <Actor name={news.by} />. {texts.missed}{' '}
      {onBulk && <Button onClick={() => onBulk('backfill')}>{t().backfill}</Button>}
    </Note>
  );
}

const OF_HEALTH: ReadonlySet<string> = new Set(['failing', 'disabled', 'recovered']);

interface WayOptions extends Pick<HealthOptions, 'failure'> {
  readonly figures: NonNullable<Change['figures']>;
}

/** How far an endpoint has gone on the way to being disabled. */
function Way({ figures, failure }: WayOptions) {
  const texts = t().endpointTexts;
  const { share, disablesAt } = figures;
  const answer = answerOf(failure) ?? answerText(figures);
  const isSoon = disablesAt !== null && Date.parse(disablesAt) <= now();
  const label = texts.share(percent(share / 100));
  return (
    <>
      {disablesAt !== null && (
        <>
          <progress aria-label={label} max={100} value={share} />
          <p>
            <strong>{label}.</strong>{' '}
            {isSoon ? texts.disablesSoon : texts.disables(ago(disablesAt), dateTime(disablesAt))}
          </p>
        </>
      )}
      {answer !== '' && (
        <p>
          {texts.lastAnswer} {answer}
        </p>
      )}
    </>
  );
}

/** The latest answer as the deliveries show it; undefined when only the figures of the change can tell. */
function answerOf(failure: Delivery | undefined): string | undefined {
  if (failure === undefined) return undefined;
  const { latestStatus, statusClass } = failure;
  if (latestStatus === null && statusClass !== 'timeout') return undefined;
  return answerText({ status: latestStatus, error: statusClass });
}

interface DisabledOptions {
  readonly news: Change | undefined;
  readonly hasSteps: boolean;
}

function DisabledNotice({ news, hasSteps }: DisabledOptions) {
  const texts = t().endpointTexts;
  const figures = news?.kind === 'disabled' ? news.figures : null;
  return (
    <Note tone="off">
      <p>{t().disabledNote}</p>
      {news?.kind === 'changed' && (
        <p>
          {texts.disabledBy(dateTime(news.at))} <Actor name={news.by} />.
        </p>
      )}
      {figures !== null && (
        <p>
          {figures.reason === 'gone'
            ? texts.gone(dateTime(news!.at))
            : texts.failedTooLong(dateTime(news!.at), dateTime(figures.failingSince))}{' '}
          {figures.reason !== 'gone' && answerText(figures)}
        </p>
      )}
      {hasSteps && (
        <>
          <p>{texts.steps}</p>
          <ol>
            {figures !== null && <li>{texts.repair(texts.failures)}</li>}
            <li>{texts.press(t().enable)}</li>
            <li>{texts.sendMissed(t().backfill)}</li>
          </ol>
        </>
      )}
    </Note>
  );
}

/** The attempts of one day. */
export interface HealthDay {
  readonly name: string;
  readonly attempts: number;
  readonly failed: number;
}

/** The health of an endpoint by days: a bar for each, with words for those who do not see it. */
export function HealthLine({ days }: { readonly days: readonly HealthDay[] }) {
  const texts = t().endpointTexts;
  return (
    <figure class="health-line">
      <figcaption>
        {texts.line(number(days.length))}
        <span>{texts.badDays(days.filter(({ failed }) => failed > 0).length)}</span>
      </figcaption>
      <ol>
        {days.map((one) => {
          const words = `${one.name}: ${wordsOf(one)}`;
          return (
            <li key={one.name} class={toneOf(one)} title={words}>
              <span class="off-screen">{words}</span>
            </li>
          );
        })}
      </ol>
      <p aria-hidden="true">
        <span>{days[0]?.name}</span>
        <span>{texts.today}</span>
      </p>
    </figure>
  );
}

function wordsOf({ attempts, failed }: HealthDay): string {
  const texts = t().endpointTexts;
  if (attempts === 0) return texts.dayNone;
  return failed === 0
    ? texts.dayGood(number(attempts))
    : texts.dayBad(number(attempts), number(failed));
}

/** The shares of failed attempts from which on a day is no good one, and is a bad one. */
const PART = 0.05;
const BAD = 0.5;

function toneOf({ attempts, failed }: HealthDay): string | undefined {
  if (attempts === 0) return undefined;
  const share = failed / attempts;
  if (share < PART) return 'good';
  return share > BAD ? 'bad' : 'part';
}
