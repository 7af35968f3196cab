import { type ApiError, RETRY } from '../core/client.js';
import { type Refusal, refusalIn } from '../core/refusals.js';
import { isOfServer } from '../core/troubles.js';
import { ago, dateTime, number, t } from './index.js';

/** The reason why an action failed, in the language of the page. */
export function problemText(error: ApiError): string {
  const { status, problem, retryAfter, message } = error;
  const { code = '', errors = [] } = problem;
  if (status === 0) return t().noAnswer;
  if (status === 401) return t().lockedOut;
  if (status === 429) return t().limits.tooMany(number(Math.ceil((retryAfter ?? RETRY) / 1000)));
  const refused = errors.map((one) => `${one.field}: ${refusalText(one)}`);
  if (refused.length > 0) return refused.join(' ');
  if (code === 'subscriber-limit') return t().limits[code](String(problem.data?.['limit']));
  const known: Readonly<Record<string, string>> = t().problems;
  // Code of the application may refuse a request with a text of its own.
  return known[code] ?? ((code === '' || code === 'refused' ? message : '') || byStatus(error));
}

/** The reason why a value cannot be shown. */
export function loadText(error: ApiError): string {
  if (error.status === 403) return t().forbidden;
  if (error.status === 0 || (error.status > 501 && error.status < 505)) return t().away;
  if (isOfServer(error)) return error.status < 0 ? t().failedToLoad : t().faulty;
  return problemText(error);
}

function byStatus({ status, at }: ApiError): string {
  if (status === 403) return t().problems.forbidden;
  if (status === 404) return t().notFound;
  return status === 501 ? t().problems['no-delivery-log'] : t().limits.fault(dateTime(at));
}

/** Why the API refuses a field, as a sentence; undefined for none. */
export function refusalText(refusal: Refusal): string;
export function refusalText(refusal: Refusal | undefined): string | undefined;
export function refusalText(refusal: Refusal | undefined): string | undefined {
  return refusal && refusalIn(t(), refusal, ago);
}
