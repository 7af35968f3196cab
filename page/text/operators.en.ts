/** Texts of the screens for operators. */
export const operators = {
  maintenance: 'Maintenance',
  maintenanceLead: 'Long tasks on stored data. The application keeps running.',
  start: 'Start',
  checked: (count: string) => (count === '1' ? '1 row checked' : `${count} rows checked`),
  // Prune
  prune: 'Delete old messages',
  pruneHint:
    'Deletes messages that are older than the settings of the application allow. Workers do the same when they are idle.',
  pruneBefore: 'Delete messages that finished before',
  pruneByOptions: 'By the settings of the application',
  daysAgo: (count: number) => `${count} days ago`,
  wouldPrune: (deleted: string, bodies: string, isAll: boolean) =>
    `${isAll ? '' : 'At least '}${deleted} messages would be deleted, and ${bodies} lose their body.`,
  pruned: (deleted: string, bodies: string) =>
    `${deleted} messages deleted, ${bodies} without their body`,
  // Reseal
  reseal: 'Encrypt secrets again',
  resealHint:
    'Encrypts every stored secret with the first encryption key, so that you can remove older keys.',
  wouldReseal: (count: string, isAll: boolean) =>
    `${isAll ? '' : 'At least '}${count} rows would be encrypted again.`,
  resealed: (count: string) => `${count} rows encrypted again`,
  unreadable: (count: string) => `${count} rows cannot be decrypted with any key.`,
  // Deliveries
  retryAll: 'Retry all failed',
  retryAllHint: 'Sends all failed deliveries that match the filters again.',
  cancelAll: 'Cancel all pending',
  cancelAllHint: 'Cancels all pending deliveries that match the filters.',
  goesOn: 'You can close this dialog: the work continues while the page is open.',
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
  noWorker: 'This process does not send webhooks: other processes do.',
  pauseThis: (host: string) => `Pause ${host}`,
};
