import { ApiClient, ApiError, apiUrl, type Step, headerOption, readHeaders } from './api-client.js';
import { type CommandOptions, type ExitCode, type Given, parseText } from './command.js';
import { type Terminal, UsageError } from './terminal.js';

const OPERATOR_API = 'https://api.example.com/hooks-operator';

export const longWorkOptions = {
  ...headerOption,
  after: {
    type: 'string',
    value: 'cursor',
    help: 'continues an earlier run, which printed this cursor when it stopped',
  },
  'dry-run': { type: 'boolean', help: 'counts what would change, and changes nothing' },
  'no-count': { type: 'boolean', help: 'does not count first, so that no remaining time is shown' },
} as const satisfies CommandOptions;

export const operatorApiOptions = {
  api: { type: 'string', value: 'url', help: `the URL of the operator API: ${OPERATOR_API}` },
} as const satisfies CommandOptions;

/** The help text on stopping and resuming these commands. */
export const LONG_WORK_HELP = [
  "The command works through the application's API, in steps. On a terminal it shows how many rows it has looked at, how fast",
  'it is, and how long the rest will take. Stop it with Ctrl-C: it prints the --after with which it continues later.',
].join('\n');

export interface LongWork {
  readonly url: string;
  /** Sent with every step, and given again to go on, as options of the same names. */
  readonly range: Readonly<Record<string, string>>;
  /** Names of the numbers in an answer; their sum over all steps is printed at the end. */
  readonly counts: readonly string[];
  /** The number of items that the answer has looked at. */
  seen(counts: Counts): number;
  /** The line at the end. */
  tell(counts: Counts, isDryRun: boolean): string;
  /** Called with every answer that counts. */
  readonly heed?: (step: Step) => void;
}

export type Counts = Readonly<Record<string, number>>;

interface Progress {
  readonly counts: Counts;
  readonly next: string | null;
}

/** Does it until it is through, or interrupted. @returns 0 when it is through */
export async function runLongWork(
  work: LongWork,
  given: Given,
  terminal: Terminal,
): Promise<ExitCode> {
  terminal.interrupted.addEventListener('abort', () =>
    terminal.note('stopping after this step; press Ctrl-C again to stop at once'),
  );
  const run = new Run(work, new ApiClient(work.url, readHeaders(given, terminal)), terminal);
  const after = parseText(given, 'after') ?? null;
  const isDryRun = given['dry-run'] === true;
  let total: number | null = null;
  if (terminal.isTerminal && !isDryRun && given['no-count'] !== true) {
    const counted = await run.from(after, { isDryRun: true, total: null, prefix: 'counting: ' });
    // The work has not begun yet.
    if (counted.next !== null) return stopped(after, work, terminal);
    total = work.seen(counted.counts);
  }
  const { counts, next } = await run.from(after, { isDryRun, total, prefix: '' });
  terminal.out(work.tell(counts, isDryRun));
  return next === null ? 0 : stopped(next, work, terminal);
}

/** Makes requests one after the other, and shows how far it is. */
class Run {
  constructor(
    private readonly work: LongWork,
    private readonly client: ApiClient,
    private readonly terminal: Terminal,
  ) {}

  async from(
    after: string | null,
    how: { readonly isDryRun: boolean; readonly total: number | null; readonly prefix: string },
  ): Promise<Progress> {
    const began = performance.now();
    let all: Progress = { counts: {}, next: after };
    try {
      do {
        const step = await this.client.post({
          ...this.work.range,
          ...(how.isDryRun && { dryRun: true }),
          ...(all.next !== null && { after: all.next }),
        });
        all = { counts: this.#sum(all.counts, step), next: step.next };
        if (how.prefix === '') this.work.heed?.(step);
        this.#show(all, how.total, performance.now() - began, how.prefix);
      } while (all.next !== null && !this.terminal.interrupted.aborted);
      return all;
    } catch (error) {
      if (error instanceof ApiError && !how.isDryRun && all.next !== after) {
        throw new ApiError(`${error.message}; to continue, use ${resumption(all.next, this.work)}`);
      }
      throw error;
    } finally {
      if (this.terminal.isTerminal) this.terminal.rewrite('');
    }
  }

  #sum(counts: Counts, step: Step): Counts {
    return Object.fromEntries(
      this.work.counts.map((name) => {
        const value = step[name];
        if (typeof value !== 'number') {
          throw new ApiError('the answer does not come from this API. Check --api');
        }
        return [name, (counts[name] ?? 0) + value];
      }),
    );
  }

  #show({ counts, next }: Progress, total: number | null, elapsed: number, prefix: string): void {
    const text = progressText({ done: this.work.seen(counts), total, elapsed });
    if (this.terminal.isTerminal) this.terminal.rewrite(`${prefix}${text}`);
    else this.terminal.note(`${prefix}${text}${next === null ? '' : `, next ${next}`}`);
  }
}

function stopped(next: string | null, work: LongWork, terminal: Terminal): 1 {
  terminal.note(`stopped; to continue, use ${resumption(next, work)}`);
  return 1;
}

/** The options that a run has to be given to go on. */
function resumption(next: string | null, { range }: LongWork): string {
  const options = Object.entries(range).map(([name, value]) => `--${name} ${value}`);
  return (
    [...options, ...(next === null ? [] : [`--after ${next}`])].join(' ') || 'the same command'
  );
}

/** @throws {@link UsageError} without a URL */
export function parseApiUrl(given: Given, example: string): string {
  const api = apiUrl(parseText(given, 'api'), '--api');
  if (api === null) throw new UsageError(`say where the API is: --api ${example}`);
  return api;
}

export function parseOperatorApiUrl(given: Given): string {
  return parseApiUrl(given, OPERATOR_API);
}

interface ProgressState {
  readonly done: number;
  /** Null when unknown. */
  readonly total: number | null;
  /** Milliseconds since it began. */
  readonly elapsed: number;
}

/** One line for the terminal: how much is done, how fast, and how long the rest will take. Pure. */
export function progressText({ done, total, elapsed }: ProgressState): string {
  const rate = elapsed > 0 ? (done * 1000) / elapsed : 0;
  const parts = [total === null ? `${done}` : `${done} of ${total}`, `${rounded(rate)}/s`];
  if (total !== null && total > 0) {
    parts.splice(1, 0, `${Math.min(100, Math.floor((done * 100) / total))} %`);
    if (rate > 0 && done < total) parts.push(`${timeText((total - done) / rate)} left`);
  }
  return parts.join(', ');
}

function rounded(rate: number): string {
  return rate >= 10 || rate === 0 ? String(Math.round(rate)) : rate.toFixed(1);
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
