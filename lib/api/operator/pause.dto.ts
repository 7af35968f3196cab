import { IsString } from 'class-validator';

/** What `POST pauses` of the operator API takes. */
export class PauseDto {
  /** As in the URLs of subscribers, with its port unless that is 443 or 80, or `*`. */
  @IsString({ message: 'must be a host as URLs have it, or "*"' })
  host!: string;
}
