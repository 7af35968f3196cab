import type { PipeTransform } from '@nestjs/common';
import { isObject } from '../../common/objects.js';
import { InvalidInputError } from '../../errors/index.js';
import { checkSearch, type SubscriberQuery } from '../../subscriber/index.js';
import { pageOf } from '../http/page-query.js';
import { badRequest, type RefusedField, refusedField } from '../problems/errors.js';

/**
 * Reads `limit`, `after` and `search`. Other parameters are not looked at: a guard may have its own, for example an API
 * key.
 */
export class SubscriberQueryPipe implements PipeTransform<unknown, SubscriberQuery> {
  transform(query: unknown): SubscriberQuery {
    const refused: RefusedField[] = [];
    const page = pageOf(query, refused);
    const { search } = isObject(query) ? query : {};
    const error = search === undefined ? null : refusalOf(search);
    if (error !== null) refused.push(refusedField(error, 'search'));
    if (refused.length > 0) throw badRequest(refused);
    return { ...page, ...(typeof search === 'string' && { search }) };
  }
}

function refusalOf(search: unknown): InvalidInputError | null {
  try {
    checkSearch(search);
    return null;
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
}
