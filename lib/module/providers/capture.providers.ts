import type { FactoryProvider } from '@nestjs/common';
import { DeclaredEvents } from '../../capture/plan/declared-events.js';
import { construct, from, provide } from '../../common/construct.js';
import { RecipientPolicies } from '../../delivery/index.js';
import { EntityMessageSource, MessagePipeline } from '../../dispatch/index.js';
import { EventCatalogue } from '../../event/index.js';
import { MessageFactory } from '../../message/index.js';
import { StaticSubscriberSet } from '../../subscriber/index.js';
import { EntityCaptures, EntitySources } from '../../capture/entity-sources.js';
import { ThornSettings } from '../options/settings.js';

export const captureProviders: readonly FactoryProvider[] = [
  construct(DeclaredEvents, EventCatalogue, StaticSubscriberSet, RecipientPolicies),
  provide(
    EntityCaptures,
    from(
      [EntitySources, MessageFactory, MessagePipeline, DeclaredEvents, ThornSettings],
      (sources, messageFactory, pipeline, declared, { options }) =>
        sources.capture({ messageFactory, pipeline, declared, options }),
    ),
  ),
  provide(
    EntityMessageSource,
    from([EntityCaptures], ({ messages }) => messages),
  ),
];
