import { now } from '../core/clock.js';
import type { Endpoint, LastDay } from '../core/model.js';
import { dateHour, dateTime, number, t } from '../text/index.js';
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
          <small>{texts.since(dateHour(failingSince!))}</small>
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

/** The state of an endpoint. A success between many failures does not make it well. */
export function StateBadge({ endpoint }: { readonly endpoint: Endpoint }) {
  const { state, lastDay } = endpoint;
  if (state !== 'active' || lastDay == null || !isUnstable(lastDay)) {
    return <Badge state={state} />;
  }
  return <span class="badge wait">{t().health.unstable}</span>;
}

const HOUR = 3_600_000;

/** True when most attempts fail, and did so of late: an endpoint that works again does not. */
function isUnstable({ attempts, failed, failedAt }: LastDay): boolean {
  return failed * 2 > attempts && now() - Date.parse(failedAt!) < HOUR;
}

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
  const { attempts, failed } = lastDay;
  const texts = t().figures;
  return (
    <span class={failed > 0 ? 'bad' : undefined}>
      {failed > 0
        ? texts.failedOf(number(failed), number(attempts))
        : texts.attempts(number(attempts))}
    </span>
  );
}
