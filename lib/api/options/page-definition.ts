import type { InjectionToken, Provider, Type } from '@nestjs/common';
import type { ApiSettings } from './api-options.js';
import type { OperatorSettings } from './operator-options.js';

/** The APIs that the page uses. */
export interface PageApis {
  readonly api: ApiSettings;
  readonly operatorApi?: OperatorSettings;
}

/** The page together with its settings, as `thornPage()` of `nestjs-thorn/page` returns it. */
export interface PageDefinition {
  /** The path of the page, without a slash before it. */
  readonly path: string;
  /** Makes the controllers of the page. `ThornModule` adds them to its own controllers. */
  readonly controllers: (apis: PageApis) => readonly Type<unknown>[];
  /** Services of the page. `ThornModule` adds them to its own providers. */
  readonly providers: readonly Provider[];
  /** The services that other modules may inject. */
  readonly exports: readonly InjectionToken[];
}
