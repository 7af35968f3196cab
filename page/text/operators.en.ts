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
    `${isAll ? '' : 'At least '}${deleted} messages would be deleted, and the bodies of ${bodies} others.`,
  pruned: (deleted: string, bodies: string) =>
    `${deleted} messages deleted, and the bodies of ${bodies} others`,
  // Reseal
  reseal: 'Encrypt secrets again',
  resealHint:
    'Encrypts every stored secret with the first encryption key, so that you can remove older keys.',
  wouldReseal: (count: string, isAll: boolean) =>
    `${isAll ? '' : 'At least '}${count} rows would be encrypted again.`,
  resealed: (count: string) => `${count} rows encrypted again`,
  unreadable: (count: string) => `${count} rows cannot be decrypted with any key.`,
  // Deliveries
  cancelAll: 'Cancel all pending',
  cancelAllHint:
    'The pending deliveries that match the filters are not sent any more, unless somebody resends them.',
  cancelled: (count: string) =>
    count === '1' ? '1 delivery cancelled' : `${count} deliveries cancelled`,
  // Overview
  throughput: 'Last 24 hours',
  now: 'Now',
  allWell: 'All is well: no endpoint fails, no host is paused, and nothing waits too long.',
  resumed: 'Resumed',
  oldest: (when: string) => `The oldest delivery was due ${when}.`,
  late: {
    allPaused: 'All hosts are paused.',
    paused: 'Some hosts are paused.',
    broken: 'Some hosts fail, so that only few requests are tried.',
    idle: 'No worker is sending: look at the logs of the application.',
    noWorker: 'This process does not send: check that a worker runs.',
    busy: 'The workers are behind: more is due than they can send.',
  },
  showOldest: 'Show this delivery',
  showPending: 'Show what waits',
  deliveriesOf: 'Deliveries of this owner',
  allHosts: 'All hosts',
  live: 'Since this page was opened',
  failingEndpoints: 'Failing endpoints',
  failingSince: 'Failing since',
  messages: 'Events that failed',
  notStored: 'In the settings of the application',
  noWorker: 'This process does not send webhooks: other processes do.',
  pauseThis: (host: string) => `Pause ${host}`,
};
