import { parseDuration } from '../../common/time.js';
import type { SetupReport } from '../../api/index.js';
import type { OverviewView } from '../../api/operator/operator.view.js';
import { type Command, parseText } from '../terminal/command.js';
import { UsageError } from '../terminal/terminal.js';
import { ApiClient, ApiError, apiUrl, headerOption, readHeaders } from './api-client.js';

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
    const report = await readReport(client, api);
    const overview = await client.get('overview');
    const work = overview as OverviewView | null;
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

/** @throws {@link ApiError} saying whether the URL is wrong or the application has no operator API */
async function readReport(client: ApiClient, url: string): Promise<SetupReport> {
  try {
    const report = await client.get('report');
    if (isReport(report)) return report;
  } catch (error) {
    const isAnswered = error instanceof ApiError && error.status !== undefined;
    if (!isAnswered || (error.status >= 500 && error.status !== 501)) throw error;
    if (error.status !== 404 && !(await isOwnersApi(url))) throw error;
  }
  if (await isOwnersApi(url)) {
    throw new ApiError(
      `${url} is the REST API for owners. Give the URL of the operator API, at hooks-operator by default. ${NO_OPERATOR_API}`,
    );
  }
  const above = url.slice(0, url.lastIndexOf('/'));
  if (await isOwnersApi(`${above}/hooks`)) {
    throw new ApiError(
      `the application answers, with the REST API for owners at ${above}/hooks, but there is no operator API at ${url}. ` +
        NO_OPERATOR_API,
    );
  }
  throw new ApiError(
    `nothing of Thorn answers at ${url}, so the URL is wrong: check its host, port and path, with the global prefix of ` +
      `the application if there is one. ${NO_OPERATOR_API}`,
  );
}

const NO_OPERATOR_API =
  'If the application has none, set operatorApi: { guards: [OperatorGuard] } in ThornModule.forRoot(); its option path ' +
  'says where it is.';

/** Its public keys are for everybody. */
async function isOwnersApi(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/.well-known/jwks.json`);
    const { keys } = (await response.json()) as { readonly keys?: unknown };
    return response.ok && Array.isArray(keys);
  } catch {
    return false;
  }
}

function setupLines({ strategy, dataSources, events, apis, pages }: SetupReport) {
  const databases = dataSources.map(({ name, type }) => `${name} (${type})`);
  return [
    ['strategy', strategy],
    ['databases', listed(databases)],
    ['events', String(events)],
    ['REST API', listed(apis)],
    ['page', listed(pages)],
  ] as const;
}

function workLines({ due, dueMessages, failed, lag, isWorker, ...overview }: OverviewView) {
  const { endpoints, pauses, failing } = overview;
  const held = endpoints
    .filter(({ mode }) => mode !== 'flowing')
    .map(({ host, mode }) => `${host} (${mode})`);
  const paused = pauses.map(({ host }) => host);
  return [
    ['backlog', `${due + dueMessages} due, the oldest for ${lag} ms; ${failed} failed for good`],
    ['worker', isWorker ? 'this process delivers' : 'this process does not deliver'],
    ['hosts', listed(held, 'none is held back')],
    ['paused', listed(paused, 'nothing')],
    ['subscribers', `${failing.length} failing`],
  ] as const;
}

function faultsOf({ lag, changes, pauses }: OverviewView, maxLag: number): readonly string[] {
  const failed = changes?.failed ?? 0;
  const unread = `changes: no message can be made of ${failed} changes of tables. Their column fault in thorn_changes says why; when it is mended, call retryChanges() of Maintenance.`;
  const late = `lag: webhooks have waited for ${lag} ms. Check that a worker runs, and how many it needs.`;
  const paused = 'paused: nothing is sent to any host. Resume it: DELETE …/pauses/*.';
  return [
    ...(lag > maxLag ? [late] : []),
    ...(failed > 0 ? [unread] : []),
    ...(pauses.some(({ host }) => host === '*') ? [paused] : []),
  ];
}

function listed(items: readonly string[], none = 'none'): string {
  return items.length === 0 ? none : items.join(', ');
}

/** Subscribers choose the names of hosts: no character of a name may control the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

function isReport(answer: unknown): answer is SetupReport {
  const { strategy, warnings } = (answer ?? {}) as Partial<SetupReport>;
  return typeof strategy === 'string' && Array.isArray(warnings);
}
