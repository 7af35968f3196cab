import { applyDecorators } from '@nestjs/common';
import { IsArray, IsBoolean, IsIn, IsObject, IsOptional, IsString } from 'class-validator';
import type { JsonValue } from '../../event/index.js';
import type { Digest, RateLimit } from '../../message/recipient.js';
import { NotRequired } from '../http/validators.js';

// Types are checked here, all fields at once; limits and meaning are checked where subscribers are stored.

/** What `POST` and `PATCH` have in common. */
abstract class SubscriberDto {
  @NotRequired()
  @IsString({ message: 'must be a text' })
  contentType?: string;

  @NotRequired()
  @IsIn(['sha1', 'sha256', 'sha512'], { message: 'must be one of sha1, sha256, sha512' })
  digest?: Digest;

  @NotRequired()
  @IsString({ message: 'must be a text' })
  secret?: string;

  @NotRequired()
  @IsBoolean({ message: 'must be true or false' })
  enabled?: boolean;

  @NotRequired()
  @IsArray({ message: 'must be a list of patterns' })
  @IsString({ each: true, message: 'must be a list of patterns' })
  exclude?: string[];

  @IsOptional()
  @IsObject({ message: 'must be an object of fields and operators, or null' })
  filter?: Record<string, JsonValue> | null;

  @IsOptional()
  @IsObject({ message: 'must be an object of max and per, or null' })
  rateLimit?: RateLimit | null;

  @IsOptional()
  @IsString({ message: 'must be a text or null' })
  description?: string | null;

  @NotRequired()
  @IsObject({ message: 'must be an object whose values are texts' })
  metadata?: Record<string, string>;
}

/** What `POST` takes to subscribe. */
export class CreateSubscriberDto extends SubscriberDto {
  @IsString({ message: 'must be a text' })
  url!: string;

  @IsPatterns()
  events!: string[];
}

/** What `PATCH` takes; a field that is left out stays as it is. */
export class UpdateSubscriberDto extends SubscriberDto {
  @NotRequired()
  @IsString({ message: 'must be a text' })
  url?: string;

  @NotRequired()
  @IsPatterns()
  events?: string[];
}

function IsPatterns(): PropertyDecorator {
  const message = 'must be a list of patterns (or give one pattern as event)';
  return applyDecorators(IsArray({ message }), IsString({ each: true, message }));
}
