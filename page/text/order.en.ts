/** Texts of the order of deliveries. */
export const order = {
  title: 'Order',
  ordered: 'Deliver in order',
  orderedHint:
    'Events of the same thing arrive one after another, as it changed. One that fails holds those behind it back until it has arrived. Other things go on.',
  onExhausted: 'When all attempts have failed',
  skip: 'Go on with the next event',
  skipHint: 'The event that failed is left out.',
  hold: 'Stop, and hold back the rest',
  holdHint: 'Until the delivery is retried and arrives, or is cancelled.',
  holdFor: 'Hold back for',
  holdForHint: 'Then the next event goes. Empty: without an end.',
  holdForInvalid: 'A number above 0, and 14 days at most. Empty: without an end.',
  unit: 'Unit',
  seconds: 'seconds',
  minutes: 'minutes',
  hours: 'hours',
  days: 'days',
  blocked: 'Waiting for its turn',
  blockedHint: 'After an earlier event of the same thing',
  holding: 'Holds the next back',
  skips: 'One after another; goes on when all attempts have failed',
  holds: 'One after another; stops when all attempts have failed',
  holdsFor: (time: string) =>
    `One after another; stops when all attempts have failed, for ${time} at most`,
};
