import type { EndpointAttempts } from '../../outbox/index.js';
import { isoOf } from '../http/iso-time.js';
import { all, count, nullable, time, type ValueOf } from '../../common/json-schema.js';

/** The attempts at the endpoint of a subscriber in 24 hours. */
export const LAST_DAY = nullable({
  ...all({
    attempts: count,
    failed: count,
    failedAt: nullable({ ...time, description: 'The latest attempt that failed' }),
    countedSince: {
      ...time,
      description:
        'Deliveries from then on were counted; later than a day ago where there are too many',
    },
  }),
  description: 'The attempts of 24 hours; null where the application keeps no delivery log',
});

export type LastDayView = ValueOf<typeof LAST_DAY>;

/** @param countedSince milliseconds since the Unix epoch */
export function lastDayView(
  { attempts, failed, failedAt }: EndpointAttempts,
  countedSince: number,
): LastDayView {
  return {
    ...{ attempts, failed },
    failedAt: isoOf(failedAt),
    countedSince: isoOf(countedSince),
  };
}
