import { now } from '../core/clock.js';
import type { Delivery } from '../core/model.js';
import { ago, dateHour, hour, t } from '../text/index.js';
import { Badge } from '../ui/basics.js';

/** A delivery that is due for longer than this is in trouble, in milliseconds. */
export const LATE = 60_000;

interface Options {
  readonly delivery: Delivery;
}

/** The state of a delivery, and what comes next. */
export function Status({ delivery }: Options) {
  const next = nextOf(delivery);
  return (
    <>
      <DeliveryBadge delivery={delivery} />
      {next !== undefined && <small>{next}</small>}
    </>
  );
}

/** The state of a delivery. A colour warns only of what has failed. */
export function DeliveryBadge({ delivery }: Options) {
  if (delivery.status !== 'pending' || hasFailed(delivery)) {
    return <Badge state={delivery.status} />;
  }
  return <span class="badge off">{t().pending}</span>;
}

/** True when the latest attempt failed. A delivery that was sent again after a success waits without a fault. */
export function hasFailed({ statusClass }: Delivery): boolean {
  return statusClass !== '2xx' && statusClass !== 'none';
}

/** What happens next to a delivery, or what it waits for; undefined when nothing comes. */
export function nextOf(delivery: Delivery): string | undefined {
  const texts = t().next;
  const { status, pause, rateLimited, blocked, holding, nextAt } = delivery;
  if (holding) return t().order.holding;
  if (status !== 'pending') return undefined;
  if (blocked) return t().order.blocked;
  if (pause !== null)
    return pause.until === null ? texts.paused : texts.pausedUntil(until(pause.until));
  if (rateLimited) return texts.rateLimited;
  if (nextAt === null) return texts.underWay;
  const isDueFor = now() - Date.parse(nextAt);
  if (isDueFor > LATE) return texts.late(ago(nextAt));
  if (isDueFor >= 0) return texts.due;
  return hasFailed(delivery) ? texts.retries(ago(nextAt)) : texts.sent(ago(nextAt));
}

/** The time of the day; with its date unless that is near. */
export function until(time: string): string {
  return Date.parse(time) - now() < 12 * 3_600_000 ? hour(time) : dateHour(time);
}
