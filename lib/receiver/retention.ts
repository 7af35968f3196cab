/**
 * How long ids are remembered unless told otherwise: seven days, more than twice as long as the schedule of Standard
 * Webhooks goes on trying.
 */
export const DEFAULT_RETENTION = 7 * 24 * 3_600_000;
