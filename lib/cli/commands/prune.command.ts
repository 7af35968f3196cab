import { type Command, parseDate } from './command.js';
import {
  LONG_WORK_HELP,
  type LongWork,
  longWorkOptions,
  parseOperatorApiUrl,
  operatorApiOptions,
  runLongWork,
} from './long-work.js';
import { UsageError } from './terminal.js';

export const pruneCommand: Command = {
  name: 'prune',
  operands: '',
  summary: 'Deletes old messages now, as workers do when they are idle',
  details: [
    'The command deletes finished messages, with their deliveries and attempts, and it empties bodies and responses, as soon as',
    'they are as old as the application has set. With --before, it deletes all messages that were finished before that time.',
    LONG_WORK_HELP,
  ].join('\n'),
  options: {
    ...operatorApiOptions,
    before: {
      type: 'string',
      value: 'time',
      help: 'a time such as 2026-01-31, or 90d for 90 days ago. Default: the settings of the application',
    },
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
