import { IsText } from '../http/validators.js';

/** The body of `POST pauses` of the operator API. */
export class PauseDto {
  /** As in the URLs of subscribers, with its port unless that is 443 or 80, or `*`. */
  @IsText('must be a host as URLs have it, or "*"')
  host!: string;
}
