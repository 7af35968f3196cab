import type { FactoryProvider } from '@nestjs/common';
import { DeliverySettings } from '../../delivery/index.js';
import { DispatchSettings } from '../../dispatch/index.js';
import { EventSettings } from '../../event/index.js';
import { BodySettings } from '../../message/index.js';
import { ThornSettings } from '../options/settings.js';

/** The options, under the classes by which other folders ask for those that they need. */
export const settingsProviders: readonly FactoryProvider[] = [
  {
    provide: BodySettings,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings): BodySettings => options,
  },
  {
    provide: DeliverySettings,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings): DeliverySettings => options,
  },
  {
    provide: DispatchSettings,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings): DispatchSettings => options,
  },
  {
    provide: EventSettings,
    inject: [ThornSettings],
    useFactory: ({ options }: ThornSettings): EventSettings => options,
  },
];
