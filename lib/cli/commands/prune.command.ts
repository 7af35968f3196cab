import { type Command, parseDate } from '../terminal/command.js';
import {
  LONG_WORK_HELP,
  type LongWork,
  longWorkOptions,
  parseOperatorApiUrl,
  operatorApiOptions,
  runLongWork,
} from './long-work.js';
import { UsageError } from '../terminal/terminal.js';

export const pruneCommand: Command = {
  name: 'prune',
  operands: '',
  summary: 'Drops what is old enough of messages, as workers do in their spare time',
  details: [
    'Deletes finished messages with their deliveries and attempts, and drops bodies and responses, as old as the application',
    'has set; with --before, deletes all that were finished before then.',
    LONG_WORK_HELP,
  ].join('\n'),
  options: {
    ...operatorApiOptions,
    before: { type: 'string', value: 'time', help: '2026-01-31, or 90d ago. Default: as set' },
    ...longWorkOptions,
  },
  most: 0,
  async run(_operands, given, terminal) {
    const now = Date.now();
    const before = parseDate(given, 'before', now);
    if (before !== undefined && before > now) throw new UsageError('--before must be in the past');
    const work: LongWork = {
      url: `${parseOperatorApiUrl(given)}/prune`,
      range: before === undefined ? {} : { before: new Date(before).toISOString() },
      counts: ['checked', 'deleted', 'bodies', 'responses', 'open'],
      seen: ({ checked = 0 }) => checked,
      tell: ({ deleted, bodies, responses, open }, isDryRun) =>
        `${isDryRun ? 'would be deleted' : 'deleted'} ${deleted}, without body ${bodies}, without responses ${responses}, still open ${open}`,
    };
    return runLongWork(work, given, terminal);
  },
};
