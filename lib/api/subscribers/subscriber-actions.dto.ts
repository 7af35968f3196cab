import { IsText, NotRequired, Rule } from '../http/validators.js';

/** A request that says everything by its path. */
export class EmptyDto {}

/** The body of `POST /:id/test`. */
export class TestDto {
  /** The event whose example is sent. Default `thorn.ping`. */
  @NotRequired()
  @IsText('must be the name of an event')
  event?: string;

  /** The data of the message, any JSON of up to 32 levels. Default: the example of the event. */
  @Rule(({ Allow }) => Allow())
  data?: unknown;
}

/** The body of `POST /:id/rotate-secret`. */
export class RotateSecretDto {
  /** The time for which earlier secrets go on signing: milliseconds, or a text such as `24h`. Default `24h`. */
  @Rule(({ IsOptional }) => IsOptional())
  overlap?: number | string;

  /** The new secret. Default: a random one. */
  @NotRequired()
  @IsText('must be a text')
  secret?: string;
}
