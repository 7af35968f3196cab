import { parseIsoDate } from '../../common/time-text.js';
import { badRequest, type RefusedField } from '../problems/errors.js';
import {
  IsFlag,
  IsIsoDate,
  IsOptionalMoment,
  IsTextOf,
  NotRequired,
  Rule,
} from '../http/validators.js';

/** Refuses a time that ends before it begins. */
export const NOT_AFTER_SINCE: RefusedField = {
  field: 'until',
  reason: 'must be after since',
  code: 'not-after-since',
};
/** The error text for a text that is not a cursor. */
export const NO_CURSOR = 'must be the "next" of an earlier answer';
/** A data source, and an id in it. */
export const PLACE_CURSOR = /^\d{1,3}\/[\x21-\x7e]{0,64}$/;
/** A data source, and time and id of a message in it. */
export const MESSAGE_CURSOR = /^\d{1,3}\/(?:\d{1,15}:[\x21-\x7e]{1,64})?$/;

/** The body of `POST /:id/recover` and `POST /:id/backfill`. */
abstract class BulkDto {
  /** From then on. */
  @IsIsoDate()
  since!: string;

  /** Before then. Default: now. */
  @IsOptionalMoment()
  until?: string;

  /** True: only counts. Default false. */
  @NotRequired()
  @IsFlag()
  dryRun?: boolean;

  /** The `next` of an earlier answer that did not come to its end. */
  abstract after?: string;
}

export class RecoverDto extends BulkDto {
  @NotRequired()
  @IsTextOf(PLACE_CURSOR, NO_CURSOR)
  after?: string;
}

export class BackfillDto extends BulkDto {
  @NotRequired()
  @IsTextOf(MESSAGE_CURSOR, NO_CURSOR)
  after?: string;
}

/** The body of `POST /deliveries/retry`. The service looks at the ids. */
export class SelectionDto {
  @Rule(({ Allow }) => Allow())
  ids!: readonly string[];
}

/**
 * The times of a checked body.
 *
 * @throws a 400 when it ends before it begins
 */
export function rangeOf(body: BulkDto): { since: Date; until?: Date } {
  const since = parseIsoDate(body.since)!;
  if (body.until === undefined) return { since };
  const until = parseIsoDate(body.until)!;
  if (until <= since) throw badRequest([NOT_AFTER_SINCE]);
  return { since, until };
}
