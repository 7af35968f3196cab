import type { Provider } from '@nestjs/common';
import { ApiSettings, EndpointProbe } from '../../api/index.js';
import { from, provide } from '../../common/construct.js';
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
    ...(settings.portal
      ? [
          provide(
            PortalLinks,
            from(
              [SqlClients, Clock],
              ({ tables }, clock) =>
                new PortalLinks(
                  tables === undefined ? new InMemoryLinkStore() : new DatabaseLinkStore(tables),
                  clock,
                ),
            ),
          ),
        ]
      : []),
    provide(
      IdempotencyStore,
      from([SqlClients, Clock, SecretSealer], ({ tables }, clock, sealer) =>
        tables === undefined
          ? new InMemoryIdempotencyStore(clock)
          : new DatabaseIdempotencyStore(tables, clock, sealer),
      ),
    ),
  ];
}
