import { startApplication } from '../blog/play/processes.js';
import type { Stage } from './start.js';

/** An application that receives, and the one of method-events, which sends to it. */
export async function startReceiver({ port, consumerPort, running }: Stage): Promise<string> {
  const receiver = await startApplication('../receiver-only/main', consumerPort);
  running.push(receiver);
  const environment = { RECEIVER_URL: `${receiver.url}/webhooks/shop` };
  const shop = await startApplication('../method-events/main', port, environment);
  running.unshift(shop);
  return `
The shop listens on ${shop.url}, and the receiver on ${receiver.url}. They share a secret.

Place an order, and see here what the receiver verified, or ask it:
  curl -H 'Content-Type: application/json' -d '{"total": 5}' ${shop.url}/orders
  curl ${receiver.url}/webhooks/orders

What nobody has signed is refused:
  curl -H 'Content-Type: application/json' -d '{"type": "order.placed"}' ${receiver.url}/webhooks/shop`;
}
