import { isIdLike } from '../../common/index.js';
import { type Command, type Given, parseDate } from './command.js';
import {
  parseApiUrl,
  type Counts,
  LONG_WORK_HELP,
  type LongWork,
  longWorkOptions,
  runLongWork,
} from './long-work.js';
import { type Terminal, UsageError } from './terminal.js';

const OPTIONS = {
  api: {
    type: 'string',
    value: 'url',
    help: 'the URL: https://api.example.com/hooks, or for operators …/hooks-operator/subscribers',
  },
  since: {
    type: 'string',
    value: 'time',
    help: 'from this time on: 2026-01-31T08:00:00Z, or 24h for 24 hours ago',
  },
  until: { type: 'string', value: 'time', help: 'before this time. Default: now' },
  ...longWorkOptions,
} as const satisfies Command['options'];

export const replayCommand: Command = replaying(
  'replay',
  'recover',
  "Retries a subscription's failed deliveries",
);

export const backfillCommand: Command = replaying(
  'backfill',
  'backfill',
  'Sends a subscription the messages that it missed while it was disabled',
);

function replaying(name: string, verb: string, summary: string): Command {
  return {
    name,
    operands: '<subscription>',
    summary,
    details: LONG_WORK_HELP,
    options: OPTIONS,
    most: 1,
    async run([subscription], given, terminal) {
      // Dots alone would name another path.
      if (!isIdLike(subscription) || /^\.\.?$/.test(subscription)) {
        throw new UsageError('name the subscription: its id');
      }
      return runLongWork(workOf(subscription, verb, given, terminal), given, terminal);
    },
  };
}

function workOf(subscription: string, verb: string, given: Given, terminal: Terminal): LongWork {
  const api = parseApiUrl(given, 'https://api.example.com/hooks');
  return {
    url: `${api}/${encodeURIComponent(subscription)}/${verb}`,
    // Held, so that a run that is resumed, and its count, look at the same deliveries.
    range: rangeOf(given, Date.now()),
    counts: ['scheduled', 'expunged', 'disabled', 'underWay'],
    seen: (counts) => sum(counts),
    heed: ({ note }) => {
      if (typeof note === 'string') terminal.note(note);
    },
    tell: ({ scheduled, expunged, disabled, underWay }, isDryRun) =>
      `${isDryRun ? 'would be scheduled' : 'scheduled'} ${scheduled}, expunged ${expunged}, ` +
      `disabled ${disabled}, under way ${underWay}`,
  };
}

function sum(counts: Counts): number {
  return Object.values(counts).reduce((all, one) => all + one, 0);
}

function rangeOf(given: Given, now: number): Readonly<Record<string, string>> {
  const since = parseDate(given, 'since', now);
  if (since === undefined) throw new UsageError('say from when on: --since 24h');
  const until = parseDate(given, 'until', now) ?? now;
  if (since >= until) throw new UsageError('--since must be before --until');
  return { since: new Date(since).toISOString(), until: new Date(until).toISOString() };
}
