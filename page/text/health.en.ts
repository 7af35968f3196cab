/** Texts of endpoints that fail or get nothing for now. */
export const health = {
  failing: (count: string) => `${count} failing`,
  disabled: (count: string) => `${count} disabled`,
  since: (time: string) => `since ${time}`,
  failingNote: (time: string) =>
    `Every attempt has failed since ${time}. Check that the endpoint is there and answers with a status from 200 to 299.`,
  messages: (count: string) =>
    count === '1' ? '1 event has failed since then.' : `${count} events have failed since then.`,
  pause: {
    operator: 'Sending to this endpoint is paused. What is to be sent waits.',
    'retry-after': 'The endpoint has asked for a pause.',
    breaker: 'The endpoint fails so often that it is only tried now and then.',
  },
  until: (time: string) => `What is to be sent waits. It is tried again ${time}.`,
  failedAttempts: 'Failed attempts',
};
