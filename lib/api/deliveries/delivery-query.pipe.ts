import type { PipeTransform } from '@nestjs/common';
import { isIdLike } from '../../common/index.js';
import { isObject } from '../../common/objects.js';
import { parseIsoDate } from '../../common/time-text.js';
import { InvalidInputError, type RefusalCode } from '../../errors/index.js';
import { ANSWER_CLASSES, type DeliveryQuery, type DeliveryStatus } from '../../outbox/index.js';
import { checkPattern } from '../../subscriber/index.js';
import { badRequest, type RefusedField } from '../problems/errors.js';
import { NO_MOMENT } from '../http/validators.js';
import { NO_PAGE, pageOf } from '../http/page-query.js';
import { NOT_AFTER_SINCE } from './deliveries.dto.js';

const STATUSES: readonly unknown[] = ['pending', 'succeeded', 'failed'] satisfies DeliveryStatus[];
const DELIVERY_ID = /^dlv_[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const HOST = /^[\x21-\x7e]{1,320}$/;

/** Reads which deliveries a caller asks for. Other parameters are not looked at. */
export class DeliveryQueryPipe implements PipeTransform<unknown, DeliveryQuery> {
  transform(query: unknown): DeliveryQuery {
    const refused: RefusedField[] = [];
    const given = isObject(query) ? query : {};
    const page = pageOf(given, refused);
    const read = <Value>(
      field: string,
      parse: (value: unknown) => Value | null,
      reason: string,
      { name = field, code }: { readonly name?: string; readonly code?: RefusalCode } = {},
    ): Record<string, Value> => {
      if (given[field] === undefined) return {};
      const value = parse(given[field]);
      if (value !== null) return { [name]: value };
      refused.push({ field, reason, ...(code && { code }) });
      return {};
    };
    const result: DeliveryQuery = {
      ...page,
      ...read('delivery', idOf, 'must be the id of a delivery', { name: 'deliveryId' }),
      ...read('subscriber', idOf, 'must be the id of a subscriber', { name: 'subscriberId' }),
      ...read('message', idOf, 'must be the id of a message', { name: 'messageId' }),
      ...read('status', statusOf, 'must be pending, succeeded or failed'),
      ...read('statusClass', classOf, `must be one of ${ANSWER_CLASSES.join(', ')}`),
      ...read('event', patternOf, 'must be the name of an event, or a pattern such as order.*', {
        code: 'malformed-pattern',
      }),
      ...read('host', hostOf, 'must be a host as in URLs, with its port unless it is 443 or 80'),
      ...read('since', parseIsoDate, NO_MOMENT, { code: 'not-a-time' }),
      ...read('until', parseIsoDate, NO_MOMENT, { code: 'not-a-time' }),
    };
    const { since, until } = result;
    // Any other text would begin anew, at the first page or at none.
    if (page.after !== null && !DELIVERY_ID.test(page.after)) {
      refused.push({ field: 'after', reason: NO_PAGE });
    }
    if (since !== undefined && until !== undefined && until <= since) {
      refused.push(NOT_AFTER_SINCE);
    }
    if (refused.length > 0) throw badRequest(refused);
    return result;
  }
}

function idOf(value: unknown): string | null {
  return isIdLike(value) ? value : null;
}

function statusOf(value: unknown): string | null {
  return STATUSES.includes(value) ? (value as string) : null;
}

function classOf(value: unknown): string | null {
  return (ANSWER_CLASSES as readonly unknown[]).includes(value) ? (value as string) : null;
}

function hostOf(value: unknown): string | null {
  return typeof value === 'string' && HOST.test(value) ? value : null;
}

function patternOf(value: unknown): string | null {
  try {
    checkPattern(value);
    return value;
  } catch (error) {
    if (error instanceof InvalidInputError) return null;
    throw error;
  }
}
