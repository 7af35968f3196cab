import { isIdLike } from '../../common/index.js';
import { isObject } from '../../common/objects.js';
import type { RefusedField } from '../problems/errors.js';

const DEFAULT_LIMIT = 20;
/** Most items of one page. */
export const MAX_PAGE = 100;
const LIMIT = /^[1-9]\d{0,2}$/;

/** The error text for an `after` that is not a place in the list. */
export const NO_PAGE = 'must be the "next" of an earlier page';

/** The page that a caller asks for. */
export interface PageQuery {
  readonly limit: number;
  readonly after: string | null;
}

/** Reads `limit` and `after`. @param refused gets what makes no sense */
export function pageOf(query: unknown, refused: RefusedField[]): PageQuery {
  const { limit, after } = isObject(query) ? query : {};
  if (limit !== undefined && !isLimit(limit)) {
    refused.push({ field: 'limit', reason: `must be a whole number from 1 to ${MAX_PAGE}` });
  }
  if (after !== undefined && !isIdLike(after)) {
    refused.push({ field: 'after', reason: NO_PAGE });
  }
  return {
    limit: limit === undefined ? DEFAULT_LIMIT : Number(limit),
    after: isIdLike(after) ? after : null,
  };
}

function isLimit(value: unknown): boolean {
  return typeof value === 'string' && LIMIT.test(value) && Number(value) <= MAX_PAGE;
}
