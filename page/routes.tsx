import type { JSX } from 'preact';
import { t } from './text/index.js';
import { Empty } from './ui/basics.js';
import { Screen } from './ui/screen.js';
import { AddEndpoint } from './screens/add-endpoint.js';
import { DeliveryScreen } from './screens/delivery.js';
import { EndpointScreen } from './screens/endpoint.js';
import { DeliveriesScreen } from './screens/deliveries.js';
import { MessageScreen } from './screens/message.js';
import { OperatorEndpoint } from './screens/operator-endpoint.js';
import { OperatorMaintenance } from './screens/operator-maintenance.js';
import { OperatorEndpoints } from './screens/operator-endpoints.js';
import { OperatorOverview } from './screens/operator-overview.js';
import { OverviewScreen } from './screens/overview.js';
import { operatorDeliveries, ownerDeliveries } from './core/deliveries.js';
import { EndpointsScreen } from './screens/endpoints.js';
import { EventsScreen } from './screens/events.js';

type Route = readonly [pattern: RegExp, screen: (id: string) => JSX.Element];

const ROUTES: readonly Route[] = [
  [/^\/$/, () => <OverviewScreen />],
  [/^\/endpoints$/, () => <EndpointsScreen />],
  [/^\/endpoints\/new$/, () => <AddEndpoint />],
  [/^\/endpoints\/([^/]+)$/, (id) => <EndpointScreen key={id} id={id} />],
  [/^\/deliveries\/([^/]+)$/, (id) => <DeliveryScreen key={id} id={id} source={ownerDeliveries} />],
  [/^\/deliveries$/, () => <DeliveriesScreen key="own" source={ownerDeliveries} />],
  [/^\/messages\/([^/]+)$/, (id) => <MessageScreen key={id} id={id} source={ownerDeliveries} />],
  [
    /^\/operator\/messages\/([^/]+)$/,
    (id) => <MessageScreen key={id} id={id} source={operatorDeliveries} />,
  ],
  [/^\/operator$/, () => <OperatorOverview />],
  [/^\/operator\/endpoints$/, () => <OperatorEndpoints />],
  [/^\/operator\/endpoints\/([^/]+)$/, (id) => <OperatorEndpoint key={id} id={id} />],
  [/^\/operator\/maintenance$/, () => <OperatorMaintenance />],
  [/^\/operator\/deliveries$/, () => <DeliveriesScreen key="all" source={operatorDeliveries} />],
  [
    /^\/operator\/deliveries\/([^/]+)$/,
    (id) => <DeliveryScreen key={id} id={id} source={operatorDeliveries} />,
  ],
  [/^\/events(?:\/([^/]+))?$/, (name) => <EventsScreen name={name} />],
];

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
