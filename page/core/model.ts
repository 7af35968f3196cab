import type {
  EventTypeDetailsView,
  EventTypesView,
} from '../../lib/api/catalogue/event-type.view.js';
import type { FilterPreviewView } from '../../lib/api/deliveries/delivery-reports.controller.js';
import type {
  AttemptHistoryView,
  SentHeadersView,
  SentRequestView,
} from '../../lib/api/deliveries/delivery-reports.view.js';
import type { StatsView } from '../../lib/api/deliveries/delivery-stats.view.js';
import type {
  DeliveryDetailsView,
  DeliveryPageView,
  DeliveryView,
} from '../../lib/api/deliveries/delivery.view.js';
import type { TestView } from '../../lib/api/subscribers/test.view.js';
import type {
  ChangedSubscriberView,
  CreatedSubscriberView,
  SecretSubscriberView,
  SubscriberView,
} from '../../lib/api/subscribers/subscriber.view.js';

/** The types of answers are those of the API's own classes: they cannot differ from what it sends. */
export type Catalogue = EventTypesView;
export type EventDetails = EventTypeDetailsView;
export type Stats = StatsView;
export type Delivery = DeliveryView;
export type DeliveryDetails = DeliveryDetailsView;
export type DeliveryPage = DeliveryPageView;
export type Attempt = DeliveryDetailsView['attempts'][number];
export type AttemptHistory = AttemptHistoryView;
export type FilterPreview = FilterPreviewView;
export type SentRequest = SentRequestView;
export type SentHeaders = SentHeadersView;
export type TestResult = TestView;
export type Created = CreatedSubscriberView;
export type Changed = ChangedSubscriberView;
export type WithSecret = SecretSubscriberView;

/** Whether an endpoint fails, and why it gets nothing for now. */
export interface EndpointNow {
  readonly subscriberId: string;
  readonly failingSince: string | null;
  readonly failingMessages: number;
  readonly pause: {
    readonly reason: 'operator' | 'retry-after' | 'breaker';
    readonly until: string | null;
  } | null;
}
export interface EndpointStates {
  readonly failing: number;
  readonly disabled: number;
  readonly items: readonly EndpointNow[];
}

/** What became of deliveries that were to be retried. */
export interface RetriedPage {
  readonly items: readonly Retried[];
}
export interface Retried {
  readonly id: string;
  readonly retried: boolean;
  readonly code: string | null;
}

/** An endpoint, with its owner where an operator looks. */
export type Endpoint = SubscriberView & { readonly owner?: string | null };

export interface EndpointPage {
  readonly items: readonly Endpoint[];
  readonly next: string | null;
}

/** The counts of a bulk operation. */
export interface Replay {
  readonly scheduled: number;
  readonly expunged: number;
  readonly disabled: number;
  readonly underWay: number;
  readonly next: string | null;
}
