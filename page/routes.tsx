import type { JSX } from 'preact';
import { t } from './text/index.js';
import { Empty } from './ui/basics.js';
import { useData } from './core/use-data.js';
import { Loaded, Screen } from './ui/screen.js';
import { AddEndpoint } from './screens/add-endpoint.js';
import { DeliveryScreen } from './screens/delivery.js';
import { EndpointScreen } from './screens/endpoint.js';
import { DeliveriesScreen } from './screens/deliveries.js';
import { MessageScreen } from './screens/message.js';
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
  [/^\/operator$/, () => <ForOperators show={({ OperatorOverview }) => <OperatorOverview />} />],
  [
    /^\/operator\/endpoints$/,
    () => <ForOperators show={({ OperatorEndpoints }) => <OperatorEndpoints />} />,
  ],
  [
    /^\/operator\/endpoints\/([^/]+)$/,
    (id) => <ForOperators show={({ OperatorEndpoint }) => <OperatorEndpoint key={id} id={id} />} />,
  ],
  [
    /^\/operator\/maintenance$/,
    () => <ForOperators show={({ OperatorMaintenance }) => <OperatorMaintenance />} />,
  ],
  [/^\/operator\/deliveries$/, () => <DeliveriesScreen key="all" source={operatorDeliveries} />],
  [
    /^\/operator\/deliveries\/([^/]+)$/,
    (id) => <DeliveryScreen key={id} id={id} source={operatorDeliveries} />,
  ],
  [/^\/events(?:\/([^/]+))?$/, (name) => <EventsScreen name={name} />],
];

interface ForOperatorsOptions {
  readonly show: (screens: typeof import('./screens/operators.js')) => JSX.Element;
}

/** A screen of {@link import('./screens/operators.js')}, which customers do not load. */
function ForOperators({ show }: ForOperatorsOptions) {
  const screens = useData('screens of operators', () => import('./screens/operators.js'));
  return (
    <Loaded data={screens} as="line tiles rows">
      {show}
    </Loaded>
  );
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
