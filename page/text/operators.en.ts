/** Texts of the screens for operators. */
export const operators = {
  maintenance: 'Maintenance',
  maintenanceLead: 'Long work on what is stored. The application goes on meanwhile.',
  start: 'Start',
  checked: (count: string) => (count === '1' ? '1 row looked at' : `${count} rows looked at`),
  // Prune
  prune: 'Prune',
  pruneHint: 'Deletes what is older than the application keeps. Workers do the same while idle.',
  pruneBefore: 'Delete finished messages from before',
  pruneByOptions: 'As the options of the application say',
  daysAgo: (count: number) => `${count} days ago`,
  wouldPrune: (deleted: string, bodies: string, isAll: boolean) =>
    `${isAll ? '' : 'At least '}${deleted} messages would be deleted, and ${bodies} lose their body.`,
  pruned: (deleted: string, bodies: string) =>
    `${deleted} messages deleted, ${bodies} without their body`,
  // Reseal
  reseal: 'Reseal secrets',
  resealHint:
    'Seals every stored secret with the first encryption key, so that older keys can be removed.',
  wouldReseal: (count: string, isAll: boolean) =>
    `${isAll ? '' : 'At least '}${count} rows would be sealed again.`,
  resealed: (count: string) => `${count} rows sealed again`,
  unreadable: (count: string) => `${count} rows cannot be opened with any key.`,
  // Deliveries
  retryAll: 'Retry all failed',
  retryAllHint: 'Sends the failed deliveries that the filters select again.',
  cancelAll: 'Cancel all pending',
  cancelAllHint: 'The pending deliveries that the filters select are not sent any more.',
  goesOn: 'It goes on when this is closed, while the page is open.',
  stoppedAt: (text: string) => `stopped: ${text}`,
  wouldRetry: (count: string, isAll: boolean) =>
    `${isAll ? '' : 'At least '}${count} failed deliveries are selected.`,
  wouldCancel: (count: string, isAll: boolean) =>
    `${isAll ? '' : 'At least '}${count} pending deliveries are selected.`,
  retried: (done: string, refused: string) => `${done} sent again, ${refused} not possible`,
  cancelled: (done: string, refused: string) => `${done} cancelled, ${refused} not possible`,
  // Overview
  throughput: 'Throughput',
  live: 'Since this page was opened',
  failingEndpoints: 'Failing endpoints',
  noFailingEndpoints: 'No endpoint has failed for long.',
  failingSince: 'Failing since',
  messages: 'Messages',
  notStored: 'In the settings of the application',
  noWorker: 'The process that answers does not deliver: others do.',
  pauseThis: (host: string) => `Pause ${host}`,
};
