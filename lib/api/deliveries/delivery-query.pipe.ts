import type { PipeTransform } from '@nestjs/common';
import type { DeliveryQuery, DeliveryStatus } from '../../outbox/index.js';
import { badRequest, type RefusedField } from '../problems/errors.js';
import { isBody } from '../http/body-fields.js';
import { parseIsoDate, NO_MOMENT } from '../http/validators.js';
import { pageOf } from '../http/page-query.pipe.js';

const STATUSES: readonly unknown[] = ['pending', 'succeeded', 'failed'] satisfies DeliveryStatus[];
const TEXT = /^[\x21-\x7e]{1,256}$/;

/** Reads which deliveries a caller asks for. Other parameters are not looked at. */
export class DeliveryQueryPipe implements PipeTransform<unknown, DeliveryQuery> {
  transform(query: unknown): DeliveryQuery {
    const refused: RefusedField[] = [];
    const given = isBody(query) ? query : {};
    const page = pageOf(given, refused);
    const read = <Value>(
      field: string,
      parse: (value: unknown) => Value | null,
      reason: string,
    ): Record<string, Value> => {
      if (given[field] === undefined) return {};
      const value = parse(given[field]);
      if (value !== null) return { [field]: value };
      refused.push({ field, reason });
      return {};
    };
    const result: DeliveryQuery = {
      ...page,
      ...read('status', statusOf, 'must be pending, succeeded or failed'),
      ...read('event', textOf, 'must be the name of an event'),
      ...read('messageId', (value) => textOf(value, 64), 'must be the id of a message'),
      ...read('since', parseIsoDate, NO_MOMENT),
      ...read('until', parseIsoDate, NO_MOMENT),
    };
    if (refused.length > 0) throw badRequest(refused);
    return result;
  }
}

function statusOf(value: unknown): string | null {
  return STATUSES.includes(value) ? (value as string) : null;
}

function textOf(value: unknown, most = 256): string | null {
  return typeof value === 'string' && TEXT.test(value) && value.length <= most ? value : null;
}
