import type { DataSource } from 'typeorm';
import type { Clock } from '../../common/index.js';
import type { Deliverer, DeliveryLog, RetryPolicy, WebhookEvents } from '../../delivery/index.js';
import type { FanOut } from '../../dispatch/index.js';
import type { Codecs } from '../../message/index.js';
import type { SecretSealer } from '../../signing/index.js';
import type { MessageRelay } from '../relay/message-relay.js';
import type { OutcomeListener } from '../outcomes/outcome-listener.js';

/** Dependencies of {@link OutboxStrategy}. */
export interface OutboxDependencies {
  readonly dataSources: readonly DataSource[];
  readonly fanOut: FanOut;
  readonly deliverer: Deliverer;
  readonly codecs: Codecs;
  readonly sealer: SecretSealer;
  readonly policy: RetryPolicy;
  readonly events: WebhookEvents;
  readonly listener: OutcomeListener;
  readonly log: DeliveryLog;
  readonly clock: Clock;
  /** For jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Carries messages to the processes that deliver them. Default: this process delivers its own. */
  readonly relay?: MessageRelay;
}
