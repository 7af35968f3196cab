import { text } from '../../common/json-schema.js';
import { MESSAGE_CURSOR } from '../deliveries/deliveries.dto.js';
import { Cursor, DryRun, isText, Moment, RequiredField } from '../http/validators.js';

export const HOST = {
  ...text,
  description: 'As in URLs, with its port unless it is 443 or 80; * for all',
  maxLength: 320,
};

export class PauseDto {
  @RequiredField(HOST, isText('must be a host as URLs have it, or "*"'))
  host!: string;
}

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

  @Cursor(/^(?:subscribers|messages)\/[\x21-\x7e]{0,64}$/, 76)
  after?: string;
}
