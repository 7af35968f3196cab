import { parseDuration } from '../../common/time-text.js';
import type { SetupReport } from '../../api/index.js';
import { type Command, parseText } from '../terminal/command.js';
import { UsageError } from '../terminal/usage.error.js';
import { ApiClient, ApiError, apiUrl } from './api-client.js';
import { headerOption, readHeaders } from './api-headers.js';

/** As much of `GET …/overview` as is looked at. */
interface Overview {
  readonly due: number;
  readonly dueMessages: number;
  readonly failed: number;
  readonly lag: number;
  readonly isWorker: boolean;
  readonly endpoints: readonly { readonly host: string; readonly mode: string }[];
  readonly pauses: readonly { readonly host: string }[];
  readonly failing: readonly unknown[];
}

const EXAMPLE = 'https://api.example.com/hooks-operator';

export const doctorCommand: Command = {
  name: 'doctor',
  operands: '<url>',
  summary: 'Looks at a running application, and says what is wrong',
  details: [
    `The URL is that of the operator API: ${EXAMPLE}. Says how webhooks are set up, what waits, and`,
    'what will hurt in production. Ends with 1 when something is wrong.',
  ].join('\n'),
  options: {
    token: { type: 'string', value: 'token', help: 'sent as Authorization: Bearer' },
    ...headerOption,
    'max-lag': { type: 'string', value: 'time', help: 'how long webhooks may wait. Default: 60s' },
  },
  most: 1,
  async run([url], given, terminal) {
    const api = apiUrl(url, 'the URL');
    if (api === null)
      throw new UsageError(`say where the operator API is: thorn doctor ${EXAMPLE}`);
    const maxLag = parseDuration(parseText(given, 'max-lag') ?? '60s');
    if (maxLag === null) throw new UsageError('--max-lag must be a time such as 60s or 5m');
    const client = new ApiClient(api, readHeaders(given, terminal, parseText(given, 'token')));
    const [report, overview] = await Promise.all([client.get('report'), client.get('overview')]);
    if (!isReport(report)) throw new ApiError('the answer is none of this API: is the URL right?');
    const work = overview as Overview | null;
    const lines = [...setupLines(report), ...(work === null ? [] : workLines(work))];
    for (const [name, text] of lines) terminal.out(printable(`${name.padEnd(13)}${text}`));
    const wrong = [
      ...report.warnings.map(({ code, text }) => `${code}: ${text}`),
      ...(work === null ? [] : faultsOf(work, maxLag)),
    ];
    for (const text of wrong) terminal.out(printable(`wrong        ${text}`));
    terminal.out(wrong.length === 0 ? 'Nothing is wrong.' : `To mend: ${wrong.length}.`);
    return wrong.length === 0 ? 0 : 1;
  },
};

function setupLines({ strategy, dataSources, events, apis, pages }: SetupReport) {
  const databases = dataSources.map(({ name, type }) => `${name} (${type})`);
  return [
    ['strategy', strategy],
    ['data sources', listed(databases)],
    ['events', String(events)],
    ['REST API', listed(apis)],
    ['page', listed(pages)],
  ] as const;
}

function workLines({ due, dueMessages, failed, lag, isWorker, ...overview }: Overview) {
  const { endpoints, pauses, failing } = overview;
  const held = endpoints.filter(({ mode }) => mode !== 'flowing');
  return [
    ['backlog', `${due + dueMessages} due, the oldest for ${lag} ms; ${failed} failed for good`],
    ['worker', isWorker ? 'this process delivers' : 'this process does not deliver'],
    [
      'hosts',
      listed(
        held.map(({ host, mode }) => `${host} (${mode})`),
        'none is held back',
      ),
    ],
    [
      'paused',
      listed(
        pauses.map(({ host }) => host),
        'nothing',
      ),
    ],
    ['subscribers', `${failing.length} failing`],
  ] as const;
}

function faultsOf({ lag, pauses }: Overview, maxLag: number): readonly string[] {
  return [
    ...(lag > maxLag
      ? [
          `lag: webhooks have waited for ${lag} ms. Check that a worker runs, and how many it needs.`,
        ]
      : []),
    ...(pauses.some(({ host }) => host === '*')
      ? ['paused: nothing is sent to any host. Resume it: DELETE …/pauses/*.']
      : []),
  ];
}

function listed(items: readonly string[], none = 'none'): string {
  return items.length === 0 ? none : items.join(', ');
}

/** Hosts are the words of subscribers: nothing of them may steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

function isReport(answer: unknown): answer is SetupReport {
  const { strategy, warnings } = (answer ?? {}) as Partial<SetupReport>;
  return typeof strategy === 'string' && Array.isArray(warnings);
}
