import type { PipeTransform } from '@nestjs/common';
import { isIdLike } from '../../common/index.js';
import { isObject } from '../../common/objects.js';
import { parseIsoDate } from '../../common/time-text.js';
import type { RefusalCode } from '../../errors/index.js';
import type { AttemptFiguresQuery } from '../../outbox/index.js';
import { badRequest, type RefusedField } from '../problems/errors.js';
import { NO_MOMENT } from '../http/validators.js';

/** Reads which attempts a caller wants to have counted. Other parameters are not looked at. */
export class FiguresQueryPipe implements PipeTransform<unknown, AttemptFiguresQuery> {
  transform(query: unknown): AttemptFiguresQuery {
    const { subscriber, by, since, until } = isObject(query) ? query : {};
    const refused: RefusedField[] = [];
    const refuse = (field: string, reason: string, code?: RefusalCode) =>
      refused.push({ field, reason, ...(code && { code }) });
    const moments = { since: parseIsoDate(since), until: parseIsoDate(until) };
    if (subscriber !== undefined && !isIdLike(subscriber)) {
      refuse('subscriber', 'must be the id of a subscriber');
    }
    if (by !== undefined && by !== 'hour' && by !== 'day') refuse('by', 'must be hour or day');
    if (since !== undefined && moments.since === null) refuse('since', NO_MOMENT, 'not-a-time');
    if (until !== undefined && moments.until === null) refuse('until', NO_MOMENT, 'not-a-time');
    if (refused.length > 0) throw badRequest(refused);
    return {
      ...(isIdLike(subscriber) && { subscriberId: subscriber }),
      ...((by === 'hour' || by === 'day') && { by }),
      ...(moments.since && { since: moments.since }),
      ...(moments.until && { until: moments.until }),
    };
  }
}
