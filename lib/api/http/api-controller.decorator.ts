import {
  applyDecorators,
  Controller,
  UseFilters,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import type { ApiSettings } from '../options/api-options.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { JsonBodyGuard } from './json-body.guard.js';
import { OwnerGuard } from './owner.guard.js';
import { ProblemFilter } from './problem.filter.js';
import { ServiceErrorsInterceptor } from './service-errors.interceptor.js';

/** What all controllers of the API have in common: the path, who is let in, and how a refusal looks. */
export function ApiController(settings: ApiSettings): ClassDecorator {
  const { path, guards, limits, problems } = settings;
  return applyDecorators(
    Controller({ path, version: VERSION_NEUTRAL }),
    UseGuards(...guards, new OwnerGuard(settings), new JsonBodyGuard(limits.bodyBytes)),
    UseInterceptors(new ServiceErrorsInterceptor(), IdempotencyInterceptor),
    ...(problems ? [UseFilters(new ProblemFilter())] : []),
  );
}
