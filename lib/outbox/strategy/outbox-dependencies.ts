import type { DataSource } from 'typeorm';
import type { Clock } from '../../common/index.js';
import type { Deliverer, DeliveryLog, RetryPolicy, WebhookEvents } from '../../delivery/index.js';
import type { FanOut } from '../../dispatch/index.js';
import type { Codecs } from '../../message/index.js';
import type { SecretSealer } from '../../signing/index.js';
import type { SubscriberRepository } from '../../subscriber/index.js';
import type { MessageRelay } from '../relay/message-relay.js';
import type { OutcomeListener } from '../outcomes/outcome-listener.js';

/** What {@link OutboxStrategy} is made from. */
export interface OutboxDependencies {
  readonly dataSources: readonly DataSource[];
  readonly fanOut: FanOut;
  readonly deliverer: Deliverer;
  readonly subscribers: SubscriberRepository;
  readonly codecs: Codecs;
  readonly sealer: SecretSealer;
  readonly policy: RetryPolicy;
  readonly events: WebhookEvents;
  readonly listener: OutcomeListener;
  readonly log: DeliveryLog;
  readonly clock: Clock;
  /** For jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** What carries messages to the process that delivers them. Default: they stay in this one. */
  readonly relay?: MessageRelay;
}
