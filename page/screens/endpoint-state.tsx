import { now } from '../core/clock.js';
import type { Endpoint, LastDay } from '../core/model.js';
import { dateHour, dateTime, momentAlone, number, t } from '../text/index.js';
import { Badge } from '../ui/basics.js';
import type { Column } from '../ui/table.js';

/** What enabling or disabling changes of an endpoint, before the API has answered. */
export function turned({ enabled, expiresAt }: Endpoint): Partial<Endpoint> {
  if (enabled) return { enabled: false, state: 'disabled' };
  const hasEnded = expiresAt !== null && Date.parse(expiresAt) <= now();
  return { enabled: true, state: hasEnded ? 'expired' : 'active' };
}

/** The state of an endpoint, since when it fails, when it is disabled for that, and until when it receives. */
export function StateNow({ endpoint }: { readonly endpoint: Endpoint }) {
  const { state, failingSince, disablesAt, expiresAt } = endpoint;
  const texts = t().health;
  return (
    <>
      <StateBadge endpoint={endpoint} />
      {state === 'failing' && (
        <>
          <small>{texts.since(momentAlone(failingSince!))}</small>
          {disablesAt !== null && (
            <small>
              {Date.parse(disablesAt) > now()
                ? texts.disables(dateHour(disablesAt))
                : t().endpointTexts.disablesSoon}
            </small>
          )}
        </>
      )}
      {expiresAt !== null && <small>{t().form.until(dateTime(expiresAt))}</small>}
    </>
  );
}

/** The state of an endpoint. It is not well while most attempts of 24 hours have failed. */
export function StateBadge({ endpoint }: { readonly endpoint: Endpoint }) {
  const { state, lastDay } = endpoint;
  if (state !== 'active' || lastDay == null || lastDay.failed * 2 <= lastDay.attempts) {
    return <Badge state={state} />;
  }
  return (
    <span class="badge wait" title={attemptsText(lastDay)}>
      {t().health.unstable}
    </span>
  );
}

const HOUR = 3_600_000;

/** The column with the attempts of 24 hours. */
export function lastDayColumn(): Column<Endpoint> {
  return {
    title: t().lastDay,
    cell: ({ lastDay }) => <DayOf lastDay={lastDay} />,
    sort: ({ lastDay }) => (lastDay?.attempts ? lastDay.failed / lastDay.attempts : 0),
  };
}

/** Says from which time on attempts are counted, where that is not a day. */
export function LastDayHint({ rows }: { readonly rows: readonly Endpoint[] }) {
  const { countedSince } = rows[0]?.lastDay ?? {};
  if (countedSince === undefined || now() - Date.parse(countedSince) >= 24 * HOUR) return null;
  return <p class="hint">{t().figures.countedSince(dateHour(countedSince))}</p>;
}

/** The attempts at an endpoint in 24 hours, or since the time from which on they are counted. */
function DayOf({ lastDay }: { readonly lastDay: LastDay | null | undefined }) {
  if (lastDay == null) return <span class="faint">–</span>;
  return (
    <span class={lastDay.failed > 0 ? 'attempts bad' : 'attempts'}>{attemptsText(lastDay)}</span>
  );
}

function attemptsText({ attempts, failed }: LastDay): string {
  const texts = t().figures;
  return failed > 0
    ? texts.failedOf(number(failed), number(attempts))
    : texts.attempts(number(attempts));
}
