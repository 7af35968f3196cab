/** Texts of endpoints that fail or get nothing for now. */
export const health = {
  failing: (count: string) => `${count} failing`,
  disabled: (count: string) => `${count} disabled`,
  since: (time: string) => `every attempt since ${time}`,
  failingNote: (time: string) =>
    `Every attempt has failed since ${time}. Check that your server runs and answers with a status from 200 to 299.`,
  messages: (count: string) =>
    count === '1' ? '1 event has failed since then.' : `${count} events have failed since then.`,
  pause: {
    operator: 'Sending to this endpoint is paused. Its events wait.',
    'retry-after': 'The endpoint asked for a pause.',
    breaker: 'The endpoint fails so often that only a few requests are tried.',
  },
  until: (time: string) => `Its events wait. The next attempt is ${time}.`,
  failedAttempts: 'Failed attempts',
  unstable: 'Unstable',
  disables: (time: string) => `Will be disabled on ${time} unless a request succeeds`,
};
