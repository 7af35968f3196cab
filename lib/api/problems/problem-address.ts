import type { ProblemCode } from './problem-codes.js';

/** As much of a request of Express or Fastify as is used. */
export interface RoutedRequest {
  readonly originalUrl?: string;
  /** The route on Express. */
  readonly route?: { readonly path?: unknown };
  /** The route on Fastify. */
  readonly routeOptions?: { readonly url?: unknown };
}

/** The API whose routes a filter answers for, and where that API explains its problems. */
export interface ExplainedApi {
  /** The path of the filter's own routes, without prefixes of the application. */
  readonly path: string;
  /** The path of the API that has the texts. Default: `path`. */
  readonly explainedBy?: string;
  /** Put before the path, as the application says it. */
  readonly baseUrl?: string;
}

/**
 * The `type` of a problem: the address of the text that explains the code, in the application itself, with the prefixes
 * under which the caller reached the API.
 */
export function problemAddress(
  code: ProblemCode,
  { path, explainedBy = path, baseUrl = '' }: ExplainedApi,
  request: RoutedRequest,
): string {
  return `${baseUrl}${prefixOf(path, request)}/${explainedBy}/problems/${code}`;
}

/** What the application and its proxies put before the path of an API; empty where the request does not show it. */
function prefixOf(path: string, request: RoutedRequest): string {
  const { originalUrl = '', route, routeOptions } = request;
  const pattern = route?.path ?? routeOptions?.url;
  if (typeof pattern !== 'string' || !originalUrl.startsWith('/')) return '';
  const end = `${pattern}/`.lastIndexOf(`/${path}/`);
  if (end === -1) return '';
  // A prefix may have parameters: the segments of the pattern are counted from the end, and taken from the request.
  const segments = segmentsOf(originalUrl.split(/[?#]/, 1)[0]!);
  const below = segmentsOf(pattern.slice(end)).length;
  return segments
    .slice(0, Math.max(0, segments.length - below))
    .map((segment) => `/${segment}`)
    .join('');
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}
