import type { FactoryProvider } from '@nestjs/common';
import { DeliverySettings } from '../../delivery/index.js';
import { type DispatchSetting, DispatchSettings } from '../../dispatch/index.js';
import { EventSettings } from '../../event/index.js';
import { BodySettings } from '../../message/index.js';
import { OutboxSettings } from '../../outbox/index.js';
import { ThornSettings } from '../options/settings.js';

type Settings = BodySettings & DeliverySettings & DispatchSettings & EventSettings & OutboxSettings;

/** The options, under the classes by which other folders ask for the options that they need. */
export function settingsProviders(dispatch: DispatchSetting): readonly FactoryProvider<Settings>[] {
  const keepsMessages = typeof dispatch === 'function' ? true : dispatch.keepsMessages;
  return [BodySettings, DeliverySettings, DispatchSettings, EventSettings, OutboxSettings].map(
    (provide) => ({
      provide,
      inject: [ThornSettings],
      useFactory: ({ options }: ThornSettings): Settings => ({ ...options, keepsMessages }),
    }),
  );
}
