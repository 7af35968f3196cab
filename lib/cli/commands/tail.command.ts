import { setTimeout } from 'node:timers/promises';
import type { HistoryView } from '../../api/history/history.view.js';
import { type Command, parseText } from './command.js';
import { type Terminal, UsageError } from './terminal.js';
import { ApiClient, ApiError, apiUrl, headerOption, readHeaders } from './api-client.js';

/** Milliseconds from a page that was the last one to the next. */
const INTERVAL = 1000;

const ADVICE: Readonly<Record<number, string>> = {
  400: '',
  401: "give what it asks for: -H 'Authorization: …', or the variable THORN_AUTHORIZATION",
  403: 'give the authorization of a user who may use the API',
  404: 'give the URL of the REST API, such as https://api.example.com/hooks',
  410: 'begin again without --after, which follows what is sent from now on, or with --all',
};

export const tailCommand: Command = {
  name: 'tail',
  operands: '<url>',
  summary: 'Prints each new message of an application as a line of JSON',
  details: [
    'The command reads the history of events from the REST API at the URL, as the user whom the headers authorize. The',
    'application keeps a history with outbox({ history: true }). Stop the command with Ctrl-C: it prints the --after with',
    'which it continues later.',
  ].join('\n'),
  options: {
    event: {
      type: 'string',
      short: 'e',
      value: 'pattern',
      help: 'events to print, such as order.*. Default: all',
    },
    after: {
      type: 'string',
      value: 'cursor',
      help: 'continues an earlier run, which printed this cursor. Default: begins now',
    },
    all: { type: 'boolean', help: 'begins at the oldest message that is kept' },
    ...headerOption,
  },
  most: 1,
  async run([operand], given, terminal) {
    const url = apiUrl(operand, 'the URL');
    if (url === null) {
      throw new UsageError('say where the REST API is: thorn tail https://api.example.com/hooks');
    }
    if (given['all'] === true && given['after'] !== undefined) {
      throw new UsageError('--all and --after both say where to begin: leave one of them out');
    }
    const client = new ApiClient(url, readHeaders(given, terminal));
    const event = parseText(given, 'event');
    let after = parseText(given, 'after') ?? (given['all'] === true ? null : 'now');
    const { interrupted } = terminal;
    while (!interrupted.aborted) {
      const query = { ...(after !== null && { after }), ...(event !== undefined && { event }) };
      const page = await pageOf(client, query, interrupted);
      if (page === null) break;
      for (const item of page.items) terminal.out(lineOf(item));
      after = page.next;
      if (page.hasMore) continue;
      await setTimeout(INTERVAL, undefined, { signal: interrupted }).catch(() => undefined);
    }
    stopped(after, terminal);
    return 0;
  },
};

/** @returns null when it is interrupted @throws {@link ApiError} that says what to do */
async function pageOf(
  client: ApiClient,
  query: Record<string, string>,
  interrupted: AbortSignal,
): Promise<HistoryView | null> {
  const answer = await client
    .get(`events?${new URLSearchParams(query).toString()}`, interrupted)
    .catch((error: unknown) => {
      if (interrupted.aborted) return undefined;
      if (!(error instanceof ApiError)) throw error;
      const advice = ADVICE[error.status ?? 0] ?? resumption(query['after']);
      throw new ApiError(advice === '' ? error.message : `${error.message}. To go on, ${advice}`);
    });
  if (answer === undefined) return null;
  if (answer === null) {
    throw new ApiError(
      'the application keeps no history of events: it needs outbox({ history: true })',
    );
  }
  if (isPage(answer)) return answer;
  throw new ApiError('the answer does not come from this API. Check the URL');
}

function isPage(answer: object): answer is HistoryView {
  const { items, next, hasMore } = answer as Partial<HistoryView>;
  return Array.isArray(items) && typeof next === 'string' && typeof hasMore === 'boolean';
}

function resumption(after: string | undefined): string {
  return after === undefined || after === 'now' ? '' : `use --after ${after}`;
}

/** Without what would steer the terminal, and JSON does not escape. */
function lineOf(item: unknown): string {
  return JSON.stringify(item).replaceAll(
    /[\u007f-\u009f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
}

function stopped(after: string | null, terminal: Terminal): void {
  const advice = resumption(after ?? undefined);
  if (advice !== '') terminal.note(`stopped; to go on, ${advice}`);
}
