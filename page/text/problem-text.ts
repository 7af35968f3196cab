import { type ApiError, RETRY } from '../core/client.js';
import { kindOfRefusal } from '../core/refusals.js';
import { ago, number, t } from './index.js';

/** Why something was not done, in the language of the page. */
export function problemText(error: ApiError): string {
  const { status, problem, retryAfter, message } = error;
  const { code = '', errors = [] } = problem;
  if (status === 0) return t().away;
  if (status === 401) return t().lockedOut;
  if (status === 429) return t().limits.tooMany(number(Math.ceil((retryAfter ?? RETRY) / 1000)));
  const refused = errors.map(({ field, reason }) => `${field}: ${refusalText(reason)}`);
  if (refused.length > 0) return refused.join(' ');
  if (code === 'subscriber-limit' || code === 'host-limit') {
    return t().limits[code](/\d+/.exec(message)?.[0] ?? '');
  }
  const known: Readonly<Record<string, string>> = t().problems;
  // The application's own code may refuse something in its own words.
  return known[code] ?? ((code === '' || code === 'refused' ? message : '') || byStatus(status));
}

/** Why something cannot be shown. */
export function loadText(error: ApiError): string {
  if (error.status === 403) return t().forbidden;
  const isUnclear = error.status === -1 || error.status === 500;
  return isUnclear ? t().failedToLoad : problemText(error);
}

function byStatus(status: number): string {
  if (status === 403) return t().problems.forbidden;
  if (status === 404) return t().notFound;
  return status === 501 ? t().problems['no-delivery-log'] : t().problems['internal-error'];
}

/** Why the API refuses a field, as a sentence; undefined for none. */
export function refusalText(reason: string): string;
export function refusalText(reason: string | undefined): string | undefined;
export function refusalText(reason: string | undefined): string | undefined {
  if (reason === undefined) return undefined;
  const found = kindOfRefusal(reason);
  if (found === null) return t().otherRefusal(reason.split(';', 1)[0]!);
  const [one = '', other = ''] = found.named;
  const say: (one: string, other: string) => string = t().refusals[found.kind];
  return say(one, found.kind === 'rotations' ? ago(other) : other);
}

/** What the API says of a filter that it cannot check: "filter: cannot check a, since …". */
export function warningText(warning: string): string {
  const fields = /^filter: cannot check (.*), since /.exec(warning)?.[1];
  return fields === undefined
    ? warning
    : t().uncheckedFields(fields.replace(/ and (\d+) more$/, ', +$1'));
}
