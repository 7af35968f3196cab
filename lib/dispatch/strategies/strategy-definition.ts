import type { FactoryProvider, Type } from '@nestjs/common';
import type { DispatchStrategy } from './dispatch-strategy.js';

/** A strategy together with its settings, as `inline()` and `disabled()` answer it. */
export interface StrategyDefinition extends Pick<
  FactoryProvider<DispatchStrategy>,
  'inject' | 'useFactory'
> {
  /** Controllers that bring messages to it, which become those of `ThornModule`. Default: none. */
  readonly controllers?: readonly Type<object>[];
}

/** The value of the option `dispatch`: a built-in strategy, or a class that Nest constructs with its dependencies. */
export type DispatchSetting = StrategyDefinition | Type<DispatchStrategy>;
