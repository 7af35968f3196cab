import { defineTableEvents } from 'nestjs-thorn';
import { orders } from './schema.js';

/** The triggers that report its changes are in the migration `triggers`, which `npx thorn triggers` has printed. */
export const orderEvents = defineTableEvents(orders, {
  owner: 'partner',
  payload: ({ id, total }) => ({ id, total }),
  events: {
    'order.placed': { on: 'create' },
  },
});
