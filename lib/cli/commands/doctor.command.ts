import { parseDuration } from '../../common/time.js';
import type { SetupReport } from '../../api/index.js';
import type { OverviewView } from '../../api/operator/operator.view.js';
import { type Command, parseText } from './command.js';
import { UsageError } from './terminal.js';
import { ApiClient, ApiError, apiUrl, headerOption, readHeaders } from './api-client.js';

const EXAMPLE = 'https://api.example.com/hooks-operator';

export const doctorCommand: Command = {
  name: 'doctor',
  operands: '<url>',
  summary: 'Checks a running application and prints its problems',
  details: [
    `The URL is the address of the operator API: ${EXAMPLE}. The command prints how webhooks are set up,`,
    'how many deliveries wait, and each setting that will cause problems in production. It ends with 1 if it finds a problem.',
  ].join('\n'),
  options: {
    token: {
      type: 'string',
      value: 'token',
      help: 'a token, which is sent as Authorization: Bearer <token>',
    },
    ...headerOption,
    'max-lag': {
      type: 'string',
      value: 'time',
      help: 'the longest time that a delivery may wait before it is a problem. Default: 60s',
    },
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
    terminal.out(wrong.length === 0 ? 'Nothing is wrong.' : `Problems: ${wrong.length}.`);
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
    `Thorn does not answer at ${url}. Check the host, the port and the path of the URL, with the global prefix of ` +
      `the application if it has one. ${NO_OPERATOR_API}`,
  );
}

const NO_OPERATOR_API =
  'If the application has no operator API, set operatorApi: { guards: [OperatorGuard] } in ThornModule.forRoot(). Its option ' +
  'path sets where it answers.';

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
    ['hosts', listed(held, 'all get webhooks')],
    ['paused', listed(paused)],
    ['subscribers', `${failing.length} failing`],
  ] as const;
}

function faultsOf({ lag, changes, pauses }: OverviewView, maxLag: number): readonly string[] {
  const failed = changes?.failed ?? 0;
  const unread = `changes: Thorn cannot make messages of ${failed} changes of tables. The column fault of thorn_changes has the reason of each. Mend the cause, then call retryChanges() of Maintenance.`;
  const late = `lag: webhooks have waited for ${lag} ms. Check that a worker runs, and start more workers if it is busy all the time.`;
  const paused =
    'paused: all hosts are paused, so no webhook is sent. To resume, call DELETE …/pauses/*.';
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
