import type { PipeTransform } from '@nestjs/common';
import { isIdLike } from '../../common/index.js';
import { badRequest, type RefusedField } from '../problems/errors.js';
import { isBody } from './body-fields.js';

const DEFAULT_LIMIT = 20;
/** Most items of one page. */
export const MAX_PAGE = 100;
const LIMIT = /^[1-9]\d{0,2}$/;

/** The page that a caller asks for. */
export interface PageQuery {
  readonly limit: number;
  readonly after: string | null;
}

/** Reads `limit` and `after`. Other parameters are not looked at: a guard may have its own, for example an API key. */
export class PageQueryPipe implements PipeTransform<unknown, PageQuery> {
  transform(query: unknown): PageQuery {
    const refused: RefusedField[] = [];
    const page = pageOf(query, refused);
    if (refused.length > 0) throw badRequest(refused);
    return page;
  }
}

/** @param refused gets what makes no sense */
export function pageOf(query: unknown, refused: RefusedField[]): PageQuery {
  const { limit, after } = isBody(query) ? query : {};
  if (limit !== undefined && !isLimit(limit)) {
    refused.push({ field: 'limit', reason: `must be a whole number from 1 to ${MAX_PAGE}` });
  }
  if (after !== undefined && !isIdLike(after)) {
    refused.push({ field: 'after', reason: 'must be the "next" of an earlier page' });
  }
  return {
    limit: limit === undefined ? DEFAULT_LIMIT : Number(limit),
    after: isIdLike(after) ? after : null,
  };
}

function isLimit(value: unknown): boolean {
  return typeof value === 'string' && LIMIT.test(value) && Number(value) <= MAX_PAGE;
}
