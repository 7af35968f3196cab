/** Texts of the order of deliveries. */
export const order = {
  title: 'Order',
  ordered: 'Deliver in order',
  orderedHint:
    'Events of the same object arrive one after another, in the order in which it changed. When an event fails, later events of that object wait until it has arrived. Other objects are not affected.',
  onExhausted: 'When all attempts have failed',
  skip: 'Continue with the next event',
  skipHint: 'The failed event is left out.',
  hold: 'Stop, and keep later events waiting',
  holdHint: 'Until you resend the delivery and it arrives, or you cancel it.',
  holdFor: 'Wait at most',
  holdForHint: 'After this time the next event is sent. Leave it empty to wait without a limit.',
  holdForInvalid: 'Enter a number above 0, and at most 14 days, or leave it empty.',
  unit: 'Unit',
  seconds: 'seconds',
  minutes: 'minutes',
  hours: 'hours',
  days: 'days',
  blocked: 'Waits for an earlier event',
  blockedHint: 'After an earlier event of the same object',
  holding: 'Later events wait for this one',
  skips: 'One after another; continues when all attempts have failed',
  holds: 'One after another; stops when all attempts have failed',
  holdsFor: (time: string) =>
    `One after another; stops when all attempts have failed, for ${time} at most`,
};
