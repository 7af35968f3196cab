import { MESSAGE_CURSOR, NO_CURSOR, PLACE_CURSOR } from '../deliveries/deliveries.dto.js';
import { IsFlag, IsOptionalMoment, IsTextOf, NotRequired } from '../http/validators.js';

/** The body of `POST prune` of the operator API. */
export class PruneDto {
  /** Finished messages from before then are deleted. Default: as `retentionDays` says. */
  @IsOptionalMoment()
  before?: string;

  /** True: only counts. Default false. */
  @NotRequired()
  @IsFlag()
  dryRun?: boolean;

  @NotRequired()
  @IsTextOf(MESSAGE_CURSOR, NO_CURSOR)
  after?: string;
}

/** The body of `POST reseal` of the operator API. */
export class ResealDto {
  /** True: only counts. Default false. */
  @NotRequired()
  @IsFlag()
  dryRun?: boolean;

  @NotRequired()
  @IsTextOf(PLACE_CURSOR, NO_CURSOR)
  after?: string;
}
