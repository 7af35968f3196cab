import type { Provider } from '@nestjs/common';
import { ApiServices, ApiSettings } from '../../api/index.js';
import { CapturedDataSources } from '../../capture/index.js';
import { from, provide } from '../../common/construct.js';
import { Clock } from '../../common/index.js';
import { TypeOrmClient } from '../../database/typeorm-client.js';
import {
  DatabaseIdempotencyStore,
  IdempotencyStore,
  InMemoryIdempotencyStore,
} from '../../idempotency/index.js';
import { DatabaseLinkStore, InMemoryLinkStore, PortalLinks } from '../../portal/index.js';
import { SecretSealer } from '../../signing/index.js';

/** Provides the services that only the controllers of the REST API inject. */
export function apiProviders(settings: ApiSettings): Provider[] {
  return [
    { provide: ApiSettings, useValue: settings },
    ApiServices,
    ...(settings.portal
      ? [
          provide(
            PortalLinks,
            from(
              [CapturedDataSources, Clock],
              ({ all: [dataSource] }, clock) =>
                new PortalLinks(
                  dataSource === undefined
                    ? new InMemoryLinkStore()
                    : new DatabaseLinkStore(new TypeOrmClient(dataSource)),
                  clock,
                ),
            ),
          ),
        ]
      : []),
    provide(
      IdempotencyStore,
      from([CapturedDataSources, Clock, SecretSealer], ({ all: [dataSource] }, clock, sealer) =>
        dataSource === undefined
          ? new InMemoryIdempotencyStore(clock)
          : new DatabaseIdempotencyStore(new TypeOrmClient(dataSource), clock, sealer),
      ),
    ),
  ];
}
