/** The paths of all screens of the page. `:id`, `:delivery` and `:message` stand for ids. */
export const OWNER_SCREENS: readonly string[] = [
  '/',
  '/?by=day',
  '/endpoints',
  '/endpoints?state=failing',
  '/endpoints?q=endpoint-19',
  '/endpoints/new',
  '/endpoints/:id',
  '/deliveries',
  '/deliveries?status=failed',
  '/deliveries/:delivery',
  '/messages/:message',
  '/events',
  '/events/article.created',
];

/** As {@link OWNER_SCREENS}, of operators. */
export const OPERATOR_SCREENS: readonly string[] = [
  '/operator',
  '/operator/endpoints',
  '/operator/endpoints/:id',
  '/operator/deliveries',
  '/operator/deliveries?status=failed',
  '/operator/deliveries/:delivery',
  '/operator/messages/:message',
  '/operator/maintenance',
];

/** The ids that stand in paths. */
export interface ScreenIds {
  readonly id: string;
  readonly delivery: string;
  readonly message: string;
}

export function screenPath(screen: string, ids: ScreenIds): string {
  return screen.replace(/:(\w+)/, (_, name: keyof ScreenIds) => ids[name]);
}
