import {
  applyDecorators,
  Controller,
  UseFilters,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { JsonBodyGuard } from '../http/json-body.guard.js';
import type { OperatorSettings } from '../options/operator-options.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { ServiceErrorsInterceptor } from '../http/service-errors.interceptor.js';

const BODY_BYTES = 65_536;

/** What all controllers of the operator API have in common. */
export function OperatorController({ guards, path }: OperatorSettings): ClassDecorator {
  return applyDecorators(
    Controller({ path, version: VERSION_NEUTRAL }),
    UseGuards(...guards, new JsonBodyGuard(BODY_BYTES)),
    UseInterceptors(new ServiceErrorsInterceptor()),
    UseFilters(new ProblemFilter()),
  );
}
