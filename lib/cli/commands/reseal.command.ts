import type { Command } from '../terminal/command.js';
import {
  LONG_WORK_HELP,
  type LongWork,
  longWorkOptions,
  parseOperatorApiUrl,
  operatorApiOptions,
  runLongWork,
} from './long-work.js';

export const resealCommand: Command = {
  name: 'reseal',
  operands: '',
  summary: 'Seals all stored secrets with the first key of the application',
  details: [
    'Prints the ids of subscribers and messages whose secrets do not open, and ends with 1 when there are any: keep the keys',
    'until there are none.',
    LONG_WORK_HELP,
  ].join('\n'),
  options: {
    ...operatorApiOptions,
    ...longWorkOptions,
  },
  most: 0,
  async run(_operands, given, terminal) {
    const unreadable: string[] = [];
    const work: LongWork = {
      url: `${parseOperatorApiUrl(given)}/reseal`,
      range: {},
      counts: ['checked', 'resealed'],
      seen: ({ checked = 0 }) => checked,
      tell: ({ checked, resealed }, isDryRun) =>
        `${isDryRun ? 'would be sealed again' : 'sealed again'} ${resealed} of ${checked}, unreadable ${unreadable.length}`,
      heed: (step) => {
        if (Array.isArray(step['unreadable'])) unreadable.push(...step['unreadable'].map(String));
      },
    };
    const code = await runLongWork(work, given, terminal);
    for (const id of unreadable) terminal.out(`unreadable: ${id}`);
    return unreadable.length > 0 ? 1 : code;
  },
};
