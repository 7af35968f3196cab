import { parseIsoDate } from '../../common/time.js';
import { MAX_SELECTED } from '../../outbox/index.js';
import {
  Cursor,
  DryRun,
  isLookedAtLater,
  isMoment,
  Moment,
  NOT_AFTER_SINCE,
  RequiredField,
} from '../http/validators.js';
import { list, text, time } from '../../common/json-schema.js';
import { DELIVERY_ID } from './log-query.js';
import { badRequest } from '../problems/problem.js';

/** The pattern of the time and id of a message, and the greatest length of such a cursor. */
export const MESSAGE_CURSOR = [/^\d{1,15}:[\x21-\x7e]{1,64}$/, 80] as const;

abstract class BulkDto {
  @RequiredField({ ...time, description: 'From then on' }, isMoment)
  since!: string;

  @Moment('Before then; default now')
  until?: string;

  @DryRun()
  dryRun?: boolean;

  abstract after?: string;
}

export class RecoverDto extends BulkDto {
  @Cursor(DELIVERY_ID, 40)
  after?: string;
}

export class BackfillDto extends BulkDto {
  @Cursor(...MESSAGE_CURSOR)
  after?: string;
}

export class SelectionDto {
  @RequiredField(
    {
      ...list({ ...text, maxLength: 64 }),
      minItems: 1,
      maxItems: MAX_SELECTED,
      uniqueItems: true,
      description: 'Ids of deliveries',
    },
    isLookedAtLater,
  )
  ids!: readonly string[];
}

/** @throws a 400 when the range ends before it begins */
export function rangeOf(body: BulkDto): { since: Date; until?: Date } {
  const since = parseIsoDate(body.since)!;
  if (body.until === undefined) return { since };
  const until = parseIsoDate(body.until)!;
  if (until <= since) throw badRequest([NOT_AFTER_SINCE]);
  return { since, until };
}
