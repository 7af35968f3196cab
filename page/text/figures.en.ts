/** Texts of the overview and of plots. */
export const figures = {
  noData: 'No data',
  pick: 'Drag across the chart to list the deliveries that were created in that time. With the keyboard: Shift and arrow keys, then Enter.',
  drag: 'Drag to list these deliveries',
  picked: (from: string, to: string) => `Created from ${from} to ${to}`,
  openList: 'Filter these deliveries',
  perHour: 'Attempts by hour',
  perDay: 'Attempts by day',
  durations: 'Response time',
  byHour: '24 hours',
  byDay: '30 days',
  inUtc: 'Days begin at midnight in UTC.',
  countedSince: (time: string) =>
    `Only attempts since ${time} are counted, because there are so many.`,
  allEndpoints: 'Show all',
  moreEndpoints: (count: number) =>
    `${count} endpoints are shown, those that need attention first.`,
  lastFailure: 'Latest failure',
  latestFailures: 'Latest failures',
  noFailures: 'No delivery has failed, or waits for another attempt.',
  allFailed: 'All failed deliveries',
  attempts: (count: string) => (count === '1' ? '1 attempt' : `${count} attempts`),
  failedOf: (failed: string, all: string) => `${failed} of ${all} attempts failed`,
};
