import { RequestMethod } from '@nestjs/common';
import { apiControllers, ApiSettings } from '../../lib/api/index.js';
import type { Capability } from '../../lib/page/index.js';

/** Routes for callers without an account: they take no tokens of sessions. */
const PUBLIC =
  /^(?:GET \/hooks\/(?:\.well-known|problems)|POST \/hooks\/unsubscribe|\w+ \/hooks\/self)/;

/** What each route needs; a route that is missing here fails the first test. */
export const NEEDED: Readonly<Record<string, readonly Capability[]>> = {
  'POST /hooks': ['write', 'secrets'],
  'PATCH /hooks/:id': ['write'],
  'DELETE /hooks/:id': ['write'],
  'POST /hooks/:id/enable': ['write'],
  'POST /hooks/:id/disable': ['write'],
  'POST /hooks/:id/rotate-secret': ['secrets'],
  'POST /hooks/:id/end-rotation': ['secrets'],
  'POST /hooks/:id/test': ['test'],
  'POST /hooks/:id/challenge': ['test'],
  'POST /hooks/:id/recover': ['retry'],
  'POST /hooks/:id/backfill': ['retry'],
  'POST /hooks/deliveries/:delivery/retry': ['retry'],
  'POST /hooks/deliveries/retry': ['retry'],
  'POST /hooks/deliveries/:delivery/cancel': ['retry'],
  'POST /hooks/filter-preview': ['read'],
};
const subscriber = { url: 'https://example.com/new', events: ['article.*'] };
export const BODIES: Readonly<Record<string, object>> = {
  'POST /hooks': subscriber,
  'POST /hooks/filter-preview': { filter: { colour: 'red' } },
  'PATCH /hooks/:id': { description: 'changed' },
  'POST /hooks/deliveries/retry': { ids: ['dlv_none'] },
  'POST /hooks/:id/recover': { since: '2020-01-01T00:00:00Z' },
  'POST /hooks/:id/backfill': { since: '2020-01-01T00:00:00Z' },
};

/** Every route of the router that takes tokens. */
export function portalRoutes(): readonly string[] {
  const settings = new ApiSettings({ unprotected: true, receivers: true, owner: () => null }, true);
  return apiControllers(settings)
    .flatMap((controller) => {
      const { prototype } = controller;
      const base: string = Reflect.getMetadata('path', controller);
      return Object.getOwnPropertyNames(prototype).flatMap((name) => {
        const method: RequestMethod | undefined = Reflect.getMetadata('method', prototype[name]);
        if (method === undefined) return [];
        const [path = ''] = [Reflect.getMetadata('path', prototype[name])].flat() as string[];
        // Nest's own path for a route without one is a slash.
        const end = path === '/' ? '' : path;
        const slash = end === '' || end.startsWith('/') ? '' : '/';
        return `${RequestMethod[method]} /${base}${slash}${end}`;
      });
    })
    .filter((route) => !PUBLIC.test(route));
}
