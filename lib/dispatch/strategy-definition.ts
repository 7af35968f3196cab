import type { FactoryProvider, Type } from '@nestjs/common';
import type { DispatchStrategy } from './dispatch-strategy.js';

/** A strategy together with its settings, as `inline()` and `disabled()` answer it. */
export type StrategyDefinition = Pick<FactoryProvider<DispatchStrategy>, 'inject' | 'useFactory'>;

/** What the option `dispatch` takes: a built-in strategy, or a class that Nest constructs with its dependencies. */
export type DispatchSetting = StrategyDefinition | Type<DispatchStrategy>;
