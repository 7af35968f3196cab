import type {
  EventTypeDetailsView,
  EventTypesView,
} from '../../lib/api/catalogue/event-type.view.js';
import type { SelectedRetriesView } from '../../lib/api/deliveries/delivery-problems.js';
import type { EndpointOverviewView } from '../../lib/api/deliveries/endpoint-overview.view.js';
import type {
  AttemptHistoryView,
  FilterPreviewView,
} from '../../lib/api/deliveries/delivery-reports.view.js';
import type {
  EndpointStatesView,
  EndpointStateView,
  StatsView,
} from '../../lib/api/deliveries/delivery-stats.view.js';
import type {
  DeliveryDetailsView,
  DeliveryPageView,
  DeliveryView,
} from '../../lib/api/deliveries/delivery.view.js';
import type { SubscriberChangeView } from '../../lib/api/subscribers/subscriber-change.view.js';
import type { TestView } from '../../lib/api/subscribers/test.view.js';
import type {
  ChangedSubscriberView,
  CreatedSubscriberView,
  SecretSubscriberView,
} from '../../lib/api/subscribers/subscriber.view.js';
import type { ListedSubscriberView } from '../../lib/api/subscribers/subscriber-views.js';

/** The types of answers come from the API's own schemas, so that they cannot differ from its answers. */
export type Catalogue = EventTypesView;
export type EventDetails = EventTypeDetailsView;
export type Stats = StatsView;
export type EndpointNow = EndpointStateView;
export type EndpointStates = EndpointStatesView;
export type EndpointOverview = EndpointOverviewView;
export type Delivery = DeliveryView;
export type DeliveryDetails = DeliveryDetailsView;
export type DeliveryPage = DeliveryPageView;
export type RetriedPage = SelectedRetriesView;
export type Retried = SelectedRetriesView['items'][number];
export type Attempt = DeliveryDetailsView['attempts'][number];
export type AttemptHistory = AttemptHistoryView;
export type FilterPreview = FilterPreviewView;
export type Change = SubscriberChangeView;
export type TestResult = TestView;
export type Created = CreatedSubscriberView;
export type Changed = ChangedSubscriberView;
export type WithSecret = SecretSubscriberView;

/** An endpoint, with its owner where an operator looks. */
export type Endpoint = ListedSubscriberView & { readonly owner?: string | null };

/** The attempts at an endpoint in 24 hours. */
export type LastDay = NonNullable<Endpoint['lastDay']>;

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
  readonly resent: number;
  readonly next: string | null;
}
