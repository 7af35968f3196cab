import type { FactoryProvider, Provider } from '@nestjs/common';
import { ApiSettings, EndpointProbe } from '../../api/index.js';
import { Clock } from '../../common/index.js';
import {
  DatabaseIdempotencyStore,
  IdempotencyStore,
  InMemoryIdempotencyStore,
} from '../../idempotency/index.js';
import { SqlClients } from '../../outbox/index.js';
import { DatabaseLinkStore, InMemoryLinkStore, PortalLinks } from '../../portal/index.js';
import { SecretSealer } from '../../signing/index.js';

/** Provides the services that only the controllers of the REST API inject. */
export function apiProviders(settings: ApiSettings): Provider[] {
  return [
    { provide: ApiSettings, useValue: settings },
    EndpointProbe,
    ...(settings.portal ? [portalLinks] : []),
    {
      provide: IdempotencyStore,
      inject: [SqlClients, Clock, SecretSealer],
      useFactory: ({ database }: SqlClients, clock: Clock, sealer: SecretSealer) =>
        database === undefined
          ? new InMemoryIdempotencyStore(clock)
          : new DatabaseIdempotencyStore(database, clock, sealer),
    },
  ];
}

const portalLinks: FactoryProvider = {
  provide: PortalLinks,
  inject: [SqlClients, Clock],
  useFactory: ({ database }: SqlClients, clock: Clock) =>
    new PortalLinks(
      database === undefined ? new InMemoryLinkStore() : new DatabaseLinkStore(database),
      clock,
    ),
};
