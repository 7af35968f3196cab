import { IsBoolean, IsString, Matches } from 'class-validator';
import { MESSAGE_CURSOR, NO_CURSOR, PLACE_CURSOR } from '../deliveries/deliveries.dto.js';
import { IsOptionalMoment, NotRequired } from '../http/validators.js';

/** The body of `POST prune` of the operator API. */
export class PruneDto {
  /** Finished messages from before then are deleted. Default: as `retentionDays` says. */
  @IsOptionalMoment()
  before?: string;

  /** True: only counts. Default false. */
  @NotRequired()
  @IsBoolean({ message: 'must be true or false' })
  dryRun?: boolean;

  @NotRequired()
  @IsString({ message: NO_CURSOR })
  @Matches(MESSAGE_CURSOR, { message: NO_CURSOR })
  after?: string;
}

/** The body of `POST reseal` of the operator API. */
export class ResealDto {
  /** True: only counts. Default false. */
  @NotRequired()
  @IsBoolean({ message: 'must be true or false' })
  dryRun?: boolean;

  @NotRequired()
  @IsString({ message: NO_CURSOR })
  @Matches(PLACE_CURSOR, { message: NO_CURSOR })
  after?: string;
}
