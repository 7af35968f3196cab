import type { DeliverySource } from '../core/deliveries.js';
import type { Attempt, Delivery, Endpoint } from '../core/model.js';
import { linkTo } from '../core/router.js';
import { useData } from '../core/use-data.js';
import { answerText, attemptError, t } from '../text/index.js';
import { Note, Time } from '../ui/basics.js';
import { Section } from '../ui/screen.js';
import { hasFailed } from './delivery-status.js';

/** The number of different failures that are shown. */
const MOST = 3;

interface RecentOptions {
  /** The newest deliveries of the endpoint. */
  readonly items: readonly Delivery[];
  readonly source: DeliverySource;
}

/** The deliveries whose latest attempt failed, the latest attempt first. */
export function failuresAmong(items: readonly Delivery[]): readonly Delivery[] {
  return items.filter(hasFailed).toSorted((one, other) => (timeOf(other) < timeOf(one) ? -1 : 1));
}

function timeOf({ attemptedAt, createdAt }: Delivery): string {
  return attemptedAt ?? createdAt;
}

interface FailuresOptions {
  /** The latest attempt first. */
  readonly failures: readonly Delivery[];
  readonly source: DeliverySource;
}

/** The latest failures of an endpoint, each kind once: why, and what to do about it. */
export function LastFailures({ failures, source }: FailuresOptions) {
  const texts = t().endpointTexts;
  const kinds = new Map<string, Delivery[]>();
  for (const one of failures) {
    const kind = String(one.latestStatus ?? one.statusClass);
    kinds.set(kind, [...(kinds.get(kind) ?? []), one]);
  }
  if (failures.length === 0) return null;
  return (
    <Section title={texts.failures}>
      <ul class="failures">
        {[...kinds].slice(0, MOST).map(([kind, [latest, ...others]]) => (
          <li key={kind}>
            <Failure latest={latest!} source={source} />
            <p>
              <a href={linkTo(`${source.base}/deliveries/${latest!.id}`)}>{texts.showLatest}</a>{' '}
              <span class="faint">
                <Time at={timeOf(latest!)} />
                {others.length > 0 && ` · ${texts.times(others.length + 1)}`}
              </span>
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Failure({
  latest,
  source,
}: {
  readonly latest: Delivery;
  readonly source: DeliverySource;
}) {
  const { id, latestStatus, statusClass } = latest;
  // The list tells statuses and timeouts. For another error the delivery itself has to be read.
  const isTold = latestStatus !== null || statusClass === 'timeout';
  const read = useData(`failure ${isTold ? '' : id}`, async (signal) =>
    isTold ? null : ((await source.read(id, signal)).attempts.at(-1)?.error ?? null),
  );
  const error = read.value ?? null;
  if (!isTold && error === null) return null;
  return <Cause latest={latest} error={error} />;
}

interface CauseOptions {
  readonly latest: Pick<Delivery, 'latestStatus' | 'statusClass'>;
  /** Why the latest attempt has no answer; null when there is one, or for a timeout. */
  readonly error: Attempt['error'];
}

/** Why the latest attempt of a delivery failed, and what to do about it. */
export function Cause({ latest: { latestStatus, statusClass }, error }: CauseOptions) {
  return (
    <p>
      <strong>
        {error === null
          ? answerText({ status: latestStatus, error: statusClass })
          : attemptError(error)}
      </strong>{' '}
      {adviceFor(latestStatus, error?.code ?? statusClass)}
    </p>
  );
}

function adviceFor(status: number | null, code: string): string {
  const advice: Readonly<Record<string, string>> = t().endpointTexts.advice;
  return advice[status ?? code] ?? advice[code] ?? advice['other']!;
}

/** Names the delivery for which later ones of its key wait. */
export function BlockedOrder({
  endpoint,
  items,
  source,
}: RecentOptions & { readonly endpoint: Endpoint }) {
  const texts = t().endpointTexts;
  const holding = items.find((one) => one.holding);
  const blocked = items.find((one) => one.blocked);
  const asked = holding === undefined ? blocked?.id : undefined;
  const read = useData(`blocked ${asked ?? ''}`, async (signal) =>
    asked === undefined ? null : (await source.read(asked, signal)).blockedBy,
  );
  const found = holding?.id ?? read.value ?? null;
  if (!endpoint.ordered || found === null) return null;
  return (
    <Note>
      {holding === undefined ? texts.blocked : texts.holding}{' '}
      <a href={linkTo(`${source.base}/deliveries/${found}`)}>{texts.showBlocking}</a>
    </Note>
  );
}
