import { IsOptional, IsString } from 'class-validator';
import { NotRequired } from '../http/validators.js';

/** A request that says everything by its path. */
export class EmptyDto {}

/** What `POST /:id/test` takes. */
export class TestDto {
  /** The event whose example is sent. Default `thorn.ping`. */
  @NotRequired()
  @IsString({ message: 'must be the name of an event' })
  event?: string;
}

/** What `POST /:id/rotate-secret` takes. */
export class RotateSecretDto {
  /** How long the secrets before go on signing: milliseconds, or a text such as `24h`. Default `24h`. */
  @IsOptional()
  overlap?: number | string;

  /** The new secret. Default: a random one. */
  @NotRequired()
  @IsString({ message: 'must be a text' })
  secret?: string;
}
