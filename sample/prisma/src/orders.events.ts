import { defineTableEvents } from 'nestjs-thorn';
import type { Order } from './generated/prisma/client.js';

/** The triggers that report its changes are in the migration `triggers`, which `npx thorn triggers` has printed. */
export const orderEvents = defineTableEvents<Order>('Order', {
  key: 'id',
  owner: 'partner',
  payload: ({ id, total }) => ({ id, total }),
  events: {
    'order.placed': { on: 'create' },
  },
});
