import type { JSX } from 'preact';
import { t } from './text/index.js';
import { Empty } from './ui/basics.js';
import { chunkOf } from './ui/chunk.js';
import { Screen } from './ui/screen.js';
import { DeliveriesScreen } from './screens/deliveries.js';
import { OverviewScreen } from './screens/overview.js';
import { type DeliverySource, operatorDeliveries, ownerDeliveries } from './core/deliveries.js';
import { EndpointsScreen } from './screens/endpoints.js';
import { EventsScreen } from './screens/events.js';

/** Milliseconds after which the page loads the screens of one endpoint and of one delivery, where most visits lead. */
const EARLY = 1000;

type Route = readonly [pattern: RegExp, screen: (id: string) => JSX.Element];

const endpoint = chunkOf(() => import('./screens/endpoint-screens.js'));
const delivery = chunkOf(() => import('./screens/delivery-screens.js'));
const operator = chunkOf(() => import('./screens/operator-screens.js'));

const ROUTES: readonly Route[] = [
  [/^\/$/, () => <OverviewScreen />],
  [/^\/endpoints$/, () => <EndpointsScreen />],
  [/^\/endpoints\/new$/, () => endpoint.screen(({ AddEndpoint }) => <AddEndpoint />)],
  [
    /^\/endpoints\/([^/]+)$/,
    (id) => endpoint.screen(({ EndpointScreen }) => <EndpointScreen key={id} id={id} />),
  ],
  [/^\/deliveries$/, () => <DeliveriesScreen key="own" source={ownerDeliveries} />],
  [/^\/deliveries\/([^/]+)$/, (id) => deliveryOf(ownerDeliveries, id)],
  [/^\/messages\/([^/]+)$/, (id) => messageOf(ownerDeliveries, id)],
  [/^\/operator$/, () => operator.screen(({ OperatorOverview }) => <OperatorOverview />)],
  [
    /^\/operator\/endpoints$/,
    () => operator.screen(({ OperatorEndpoints }) => <OperatorEndpoints />),
  ],
  [
    /^\/operator\/endpoints\/([^/]+)$/,
    (id) => endpoint.screen(({ OperatorEndpoint }) => <OperatorEndpoint key={id} id={id} />),
  ],
  [
    /^\/operator\/maintenance$/,
    () => operator.screen(({ OperatorMaintenance }) => <OperatorMaintenance />),
  ],
  [/^\/operator\/deliveries$/, () => <DeliveriesScreen key="all" source={operatorDeliveries} />],
  [/^\/operator\/deliveries\/([^/]+)$/, (id) => deliveryOf(operatorDeliveries, id)],
  [/^\/operator\/messages\/([^/]+)$/, (id) => messageOf(operatorDeliveries, id)],
  [/^\/events(?:\/([^/]+))?$/, (name) => <EventsScreen name={name} />],
];

function deliveryOf(source: DeliverySource, id: string): JSX.Element {
  return delivery.screen(({ DeliveryScreen }) => <DeliveryScreen key={id} {...{ id, source }} />);
}

function messageOf(source: DeliverySource, id: string): JSX.Element {
  return delivery.screen(({ MessageScreen }) => <MessageScreen key={id} {...{ id, source }} />);
}

/** Loads screens before they are opened, when the first screen has what it needs. */
export function loadEarly(): void {
  setTimeout(() => {
    endpoint.load();
    delivery.load();
  }, EARLY);
}

export function screenFor(path: string): JSX.Element {
  for (const [pattern, screen] of ROUTES) {
    const match = pattern.exec(path);
    if (match !== null) return screen(decoded(match[1] ?? ''));
  }
  return (
    <Screen title={t().notFound}>
      <Empty title={t().notFound} hint={t().notFoundHint} />
    </Screen>
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
