import { MESSAGE_CURSOR, PLACE_CURSOR } from '../deliveries/deliveries.dto.js';
import { Cursor, DryRun, Moment } from '../http/validators.js';

export class PruneDto {
  @Moment('Default: what the settings say')
  before?: string;

  @DryRun()
  dryRun?: boolean;

  @Cursor(...MESSAGE_CURSOR)
  after?: string;
}

export class ResealDto {
  @DryRun()
  dryRun?: boolean;

  @Cursor(...PLACE_CURSOR)
  after?: string;
}
