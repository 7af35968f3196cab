import {
  applyDecorators,
  type CanActivate,
  Controller,
  type NestInterceptor,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import type { ApiSettings } from '../options/api-options.js';
import type { OperatorSettings } from '../options/operator-options.js';
import { PrivateResponseGuard } from '../problems/private-response.js';
import { MarkRoutes } from '../platform/route-mark.js';
import { ProblemFilter } from '../problems/problem.filter.js';
import { FixedResponseInterceptor, FixedResponses } from './fixed-response.interceptor.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { JsonBodyGuard } from './json-body.guard.js';
import { OwnerGuard } from './owner.guard.js';
import { PortalGuard, unlessPortal } from './portal.guard.js';
import { ServiceErrorsInterceptor } from './service-errors.interceptor.js';

const OPERATOR_BODY_BYTES = 65_536;

/** Makes a controller of the API: the application's guards let callers in, and see their own subscribers alone. */
export function ApiController(settings: ApiSettings): ClassDecorator {
  const { limits, decorators } = settings;
  const guards = settings.portal
    ? [PortalGuard, ...settings.guards.map(unlessPortal)]
    : settings.guards;
  return ThornController(settings, {
    decorators: decorators.all,
    guards: [...guards, new OwnerGuard(settings), new JsonBodyGuard(limits.bodyBytes)],
    interceptors: [new ServiceErrorsInterceptor(), IdempotencyInterceptor],
  });
}

/** Makes a controller of the API that callers without an account use: the guards of the API do not apply. */
export function PublicController(
  settings: ApiSettings,
  { below = '', guards = [] }: { readonly below?: string; readonly guards?: Guards } = {},
): ClassDecorator {
  const { path, baseUrl, problems, decorators } = settings;
  return ThornController(
    { path, baseUrl, below, problems },
    {
      decorators: [...decorators.all, ...decorators.public],
      guards,
      interceptors: [new ServiceErrorsInterceptor()],
    },
  );
}

/** Makes a controller of the page. It shows nothing of anybody, so that no guard of the API applies. */
export function PageController(path: string, api: ApiSettings): ClassDecorator {
  const { decorators, problems, baseUrl } = api;
  return applyDecorators(
    ...decorators.all,
    ...decorators.public,
    Controller({ path, version: VERSION_NEUTRAL }),
    UseGuards(new PrivateResponseGuard()),
    ...(problems ? [UseFilters(new ProblemFilter({ path, explainedBy: api.path, baseUrl }))] : []),
    MarkRoutes({ api: path, isPage: true }),
  );
}

export function OperatorController({ guards, path }: OperatorSettings): ClassDecorator {
  return ThornController(
    { path, problems: true },
    {
      decorators: [],
      guards: [...guards, new JsonBodyGuard(OPERATOR_BODY_BYTES)],
      interceptors: [new ServiceErrorsInterceptor()],
    },
  );
}

/** Makes a controller of the operator API that shows nothing of anybody, and so needs no guard. */
export function OpenOperatorController({ path }: OperatorSettings): ClassDecorator {
  return ThornController(
    { path, problems: true },
    { decorators: [], guards: [], interceptors: [new ServiceErrorsInterceptor()] },
  );
}

type Guards = readonly (Type<CanActivate> | CanActivate)[];

interface ControllerParts {
  readonly decorators: readonly ClassDecorator[];
  readonly guards: Guards;
  readonly interceptors: readonly (Type<NestInterceptor> | NestInterceptor)[];
}

function ThornController(
  {
    path,
    baseUrl = '',
    below = '',
    problems,
    portal = false,
  }: {
    readonly path: string;
    readonly baseUrl?: string;
    readonly below?: string;
    readonly problems: boolean;
    readonly portal?: boolean;
  },
  { decorators, guards, interceptors }: ControllerParts,
): ClassDecorator {
  return applyDecorators(
    ...decorators,
    Controller({ path: path + below, version: VERSION_NEUTRAL }),
    UseGuards(new PrivateResponseGuard(), ...guards),
    FixedResponses(),
    UseInterceptors(new FixedResponseInterceptor(), ...interceptors),
    ...(problems ? [UseFilters(new ProblemFilter({ path, baseUrl }))] : []),
    MarkRoutes({ api: path, portal }),
  );
}
