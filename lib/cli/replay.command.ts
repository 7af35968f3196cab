import { type Command, type Given, momentOf, textOf, textsOf } from './command.js';
import { progressText } from './progress.js';
import { ApiError, ReplayClient, type ReplayStep } from './replay-client.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage.error.js';

export const replayCommand: Command = {
  name: 'replay',
  operands: '<subscription>',
  summary: "Makes a subscription's failed deliveries due again, or sends what it has missed",
  details: [
    "Works through the application's REST API, in steps. Stop it with Ctrl-C: it says where to go on, --after. What it",
    'shows on a terminal is how many were looked at, how fast, and how long the rest will take.',
  ].join('\n'),
  options: {
    api: { type: 'string', value: 'url', help: 'the collection: https://api.example.com/hooks' },
    since: { type: 'string', value: 'time', help: '2026-01-31T08:00:00Z, or 24h, 90m, 7d ago' },
    until: { type: 'string', value: 'time', help: 'before that time. Default: now' },
    missed: {
      type: 'boolean',
      help: 'what was missed while it was disabled, instead of what failed',
    },
    header: {
      type: 'string',
      short: 'H',
      multiple: true,
      value: 'name: value',
      help: 'sent along; the variable THORN_AUTHORIZATION is sent as Authorization',
    },
    after: { type: 'string', value: 'cursor', help: 'where an earlier run stopped' },
    'dry-run': { type: 'boolean', help: 'only counts' },
    'no-count': { type: 'boolean', help: 'does not count first, which the time left needs' },
  },
  most: 1,
  async run([subscription], given, terminal) {
    if (subscription === undefined) throw new UsageError('name the subscription: its id');
    const now = Date.now();
    // Held, so that a run that is resumed, and its count, look at the same deliveries.
    const range = rangeOf(given, now);
    terminal.interrupted.addEventListener('abort', () =>
      terminal.note('stopping after this step; once more ends at once'),
    );
    const client = new ReplayClient(urlOf(subscription, given), headersOf(given, terminal), range);
    const after = textOf(given, 'after') ?? null;
    const dryRun = given['dry-run'] === true;
    const counts = terminal.isTerminal && !dryRun && given['no-count'] !== true;
    let total: number | null = null;
    if (counts) {
      const counted = await run(client, after, true, terminal, null, 'counting: ');
      if (counted.next !== null) return stopped(counted.next, range, terminal);
      total = seen(counted);
    }
    const result = await run(client, after, dryRun, terminal, total, '');
    terminal.out(
      `${dryRun ? 'would be scheduled' : 'scheduled'} ${result.scheduled}, expunged ${result.expunged}, ` +
        `disabled ${result.disabled}, under way ${result.underWay}`,
    );
    return result.next === null ? 0 : stopped(result.next, range, terminal);
  },
};

async function run(
  client: ReplayClient,
  after: string | null,
  dryRun: boolean,
  terminal: Terminal,
  total: number | null,
  prefix: string,
): Promise<ReplayStep> {
  const began = performance.now();
  let all: ReplayStep = { scheduled: 0, expunged: 0, disabled: 0, underWay: 0, next: after };
  try {
    do {
      const step = await client.step(all.next, dryRun);
      all = {
        scheduled: all.scheduled + step.scheduled,
        expunged: all.expunged + step.expunged,
        disabled: all.disabled + step.disabled,
        underWay: all.underWay + step.underWay,
        next: step.next,
      };
      const text = progressText({ done: seen(all), total, elapsed: performance.now() - began });
      if (terminal.isTerminal) terminal.rewrite(`${prefix}${text}`);
      else terminal.note(`${prefix}${text}${all.next === null ? '' : `, next ${all.next}`}`);
    } while (all.next !== null && !terminal.interrupted.aborted);
    return all;
  } catch (error) {
    if (error instanceof ApiError && all.next !== null && all.next !== after) {
      throw new ApiError(`${error.message}; go on with --after ${all.next}`);
    }
    throw error;
  } finally {
    if (terminal.isTerminal) terminal.rewrite('');
  }
}

function seen({ scheduled, expunged, disabled, underWay }: ReplayStep): number {
  return scheduled + expunged + disabled + underWay;
}

function stopped(next: string, range: Readonly<Record<string, string>>, terminal: Terminal): 1 {
  const times = Object.entries(range).map(([name, time]) => `--${name} ${time}`);
  terminal.note(`stopped; go on with ${times.join(' ')} --after ${next}`);
  return 1;
}

function rangeOf(given: Given, now: number): Readonly<Record<string, string>> {
  const since = momentOf(given, 'since', now);
  if (since === undefined) throw new UsageError('say from when on: --since 24h');
  const until = momentOf(given, 'until', now) ?? now;
  if (since >= until) throw new UsageError('--since must be before --until');
  return { since: new Date(since).toISOString(), until: new Date(until).toISOString() };
}

function urlOf(subscription: string, given: Given): string {
  const api = textOf(given, 'api');
  if (api === undefined || !URL.canParse(api) || !/^https?:$/.test(new URL(api).protocol)) {
    throw new UsageError('say where the API is: --api https://api.example.com/hooks');
  }
  const verb = given['missed'] === true ? 'backfill' : 'recover';
  return `${api.replace(/\/+$/, '')}/${encodeURIComponent(subscription)}/${verb}`;
}

function headersOf(given: Given, { env }: Terminal): readonly (readonly [string, string])[] {
  const headers = textsOf(given, 'header').map((text) => {
    const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(text) ?? [];
    if (name === undefined) throw new UsageError('--header must be "Name: value"');
    return [name, value!] as const;
  });
  const authorization = env['THORN_AUTHORIZATION'];
  return authorization === undefined ? headers : [['authorization', authorization], ...headers];
}
