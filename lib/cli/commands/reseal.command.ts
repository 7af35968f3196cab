import type { Command } from './command.js';
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
  summary: 'Encrypts all stored secrets again, with the first key of the application',
  details: [
    'The command prints the ids of subscribers and messages whose secrets no key of the application can decrypt, and then ends',
    'with 1. Keep the old keys in the settings until it prints no id.',
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
