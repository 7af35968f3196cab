/** Texts of lists that are long. */
export const lists = {
  searchedPart: 'Only a part of the endpoints was searched. There are more.',
  searchOn: 'Continue the search',
  searchHint: 'What it is about, such as an order id',
  searchIsExact:
    'The search finds whole subjects: for order 7, enter 7. You can also change or remove a filter.',
  ofSubject: (subject: string) => `All deliveries of ${subject}`,
  from: 'From',
  to: 'To',
  timeZone: (zone: string) => `Times are in ${zone}.`,
  range: 'Created from … to',
  id: 'Id of a delivery or message',
  anyEndpoint: 'Remove the filter by endpoint',
  clear: 'Remove',
  searchedTo: (time: string) => `No results back to ${time}. Older entries are not searched yet.`,
  still: 'New entries are not added to this list.',
  shownOf: (count: string, total: string) => `${count} of ${total}`,
  someShown: (count: string) => `${count} shown, more below`,
  allShown: (count: string) => (count === '1' ? '1 in all' : `${count} in all`),
  copyUrl: 'Copy URL',
  copyId: 'Copy id',
  csv: 'Export CSV',
  csvRead: (count: string) => `Exporting: ${count} read …`,
  csvCut: (most: string) => `The file has the first ${most}. Filter by time to export the others.`,
  messageBody: 'What was sent',
  noMessage: 'No delivery of this message is stored. It may have been deleted after its time.',
  keys: 'Keyboard shortcuts',
  keyOf: {
    j: 'Go to the next row',
    k: 'Go to the previous row',
    enter: 'Open the row',
    search: 'Go to the filters',
    help: 'Show these shortcuts',
  },
  useKeys: 'Use these shortcuts',
  newest: 'Show the newest',
  select: 'Select',
  selectAll: 'Select all shown',
  retrySelected: (count: string) => `Resend selected (${count})`,
  retryAll: 'Resend all failed',
  retryMatching: 'Resend all that match',
  retryHint:
    'Sends the deliveries that match the filters once more, with the same ids. Your server may have handled some of them already. A delivery that fails again is under “Pending” until its last attempt.',
  goesOn: 'You can close this dialog: the work continues while the page is open.',
  stoppedAt: (text: string) => `stopped: ${text}`,
  matching: (count: string, isAll: boolean) =>
    count === '0'
      ? 'No delivery matches.'
      : `${isAll ? '' : 'At least '}${count === '1' ? '1 delivery matches.' : `${count} deliveries match.`}`,
  sent: (count: string) =>
    count === '1' ? '1 delivery is being sent' : `${count} deliveries are being sent`,
  leftOut: (count: string) => `${count} left out:`,
};

/** What comes next for a delivery. */
export const next = {
  paused: 'Paused by the operator',
  pausedUntil: (time: string) => `Paused until ${time}`,
  rateLimited: 'Waits for the rate limit',
  underWay: 'Being sent now',
  due: 'Will be sent in a moment',
  late: (when: string) => `Late: was due ${when}`,
  retries: (when: string) => `Next attempt ${when}`,
  sent: (when: string) => `Will be sent ${when}`,
};
