import { EventHistory } from './event-history.js';
import { MessagePipeline } from './message-pipeline.js';
import { FanOut } from './recipients/fan-out.js';
import { SubscriberExpiry } from './subscriber-expiry.js';
import { SubscriberNotices } from './subscriber-notices.js';
import { UnheardEvents } from './unheard-events.js';
import { WebhookDispatcher } from './webhook-dispatcher.js';

/** The services that send messages and find their recipients. */
export const dispatchServices = [
  EventHistory,
  FanOut,
  MessagePipeline,
  SubscriberExpiry,
  SubscriberNotices,
  UnheardEvents,
  WebhookDispatcher,
];
