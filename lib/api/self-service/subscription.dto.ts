import { IsArray, IsBoolean, IsObject, IsOptional, IsString } from 'class-validator';
import type { JsonValue } from '../../event/index.js';
import { NotRequired } from '../http/validators.js';

const PATTERNS = 'must be a list of patterns';

/** What a receiver may change of its own subscription: what it gets, and not where that goes. */
export class SubscriptionDto {
  @NotRequired()
  @IsBoolean({ message: 'must be true or false' })
  enabled?: boolean;

  @NotRequired()
  @IsArray({ message: PATTERNS })
  @IsString({ each: true, message: PATTERNS })
  events?: string[];

  @NotRequired()
  @IsArray({ message: PATTERNS })
  @IsString({ each: true, message: PATTERNS })
  exclude?: string[];

  @IsOptional()
  @IsObject({ message: 'must be an object of fields and operators, or null' })
  filter?: Record<string, JsonValue> | null;
}
