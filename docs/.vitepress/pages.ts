/** A page of the site, by its path below `docs/`. */
export interface SitePage {
  readonly text: string;
  readonly file: string;
}

/** A group of the menu. */
export interface SiteGroup {
  readonly text: string;
  readonly items: readonly SitePage[];
  /** True: closed until the reader opens it or one of its pages. */
  readonly collapsed?: boolean;
}

/** The pages in the order in which a reader needs them. */
export const PAGES: readonly SiteGroup[] = [
  {
    text: 'Try it',
    items: [
      { text: 'What it is', file: 'index.md' },
      { text: 'Five minutes', file: 'getting-started.md' },
      { text: 'Tutorial', file: 'tutorial.md' },
      { text: 'Tutorial with Prisma', file: 'tutorial/prisma.md' },
      { text: 'Tutorial with Drizzle', file: 'tutorial/drizzle.md' },
    ],
  },
  {
    text: 'Decide',
    items: [
      { text: 'Alternatives', file: 'comparison.md' },
      { text: 'Guarantees and their tests', file: 'guarantees.md' },
      { text: 'Threats and their tests', file: 'security/threats.md' },
      { text: 'For auditors', file: 'security/audit.md' },
    ],
  },
  {
    text: 'Set it up',
    items: [
      { text: 'In your application', file: 'configuration.md' },
      { text: 'Database clients', file: 'databases.md' },
      { text: 'SQLite', file: 'databases/sqlite.md' },
      { text: 'Connections', file: 'databases/connections.md' },
      { text: 'Passport, JWT and sessions', file: 'recipes/passport.md' },
      { text: 'Many customers', file: 'recipes/multi-tenant.md' },
      { text: 'Test your application', file: 'testing.md' },
    ],
  },
  {
    text: 'Send events',
    collapsed: true,
    items: [
      { text: 'Events on entities', file: 'events.md' },
      { text: 'Which changes send events', file: 'events/changes.md' },
      { text: 'Which writes are seen', file: 'events/writes.md' },
      { text: 'Events of tables', file: 'events/tables.md' },
      { text: 'Conditions', file: 'conditions.md' },
      { text: 'Events on methods', file: 'events/methods.md' },
      { text: 'Send by hand', file: 'events/sending.md' },
      { text: 'Settings of events', file: 'events/settings.md' },
      { text: 'Describe events', file: 'catalogue.md' },
      { text: 'Between your own services', file: 'recipes/internal-events.md' },
    ],
  },
  {
    text: 'Deliver',
    collapsed: true,
    items: [
      { text: 'Delivery', file: 'delivery.md' },
      { text: 'Retries and schedules', file: 'retries.md' },
      { text: 'Order', file: 'order.md' },
      { text: 'Notices', file: 'notices.md' },
      { text: 'Workers with BullMQ', file: 'scaling.md' },
      { text: 'RabbitMQ and others', file: 'scaling/brokers.md' },
    ],
  },
  {
    text: 'Let users subscribe',
    collapsed: true,
    items: [
      { text: 'The page', file: 'page.md' },
      { text: 'The REST API', file: 'rest.md' },
      { text: 'Subscribers', file: 'rest/subscribers.md' },
      { text: 'The delivery log', file: 'rest/deliveries.md' },
      { text: 'Events by cursor', file: 'rest/history.md' },
      { text: 'Routes for receivers', file: 'rest/receivers.md' },
      { text: 'Routes for operators', file: 'rest/operators.md' },
      { text: 'Agents, by MCP', file: 'mcp.md' },
    ],
  },
  {
    text: 'Receive',
    collapsed: true,
    items: [
      { text: 'Receiving webhooks', file: 'receiving.md' },
      { text: 'Each message once', file: 'receiving/once.md' },
      { text: 'Verify in any language', file: 'verify.md' },
    ],
  },
  {
    text: 'Run in production',
    collapsed: true,
    items: [
      { text: 'Docker and Kubernetes', file: 'recipes/docker.md' },
      { text: 'Migrations', file: 'migrations.md' },
      { text: 'Operate and size', file: 'operations.md' },
      { text: 'Why a delivery waits', file: 'operations/waiting.md' },
      { text: 'Observe', file: 'observability.md' },
      { text: 'Secure', file: 'security.md' },
      { text: 'Self-check', file: 'self-check.md' },
      { text: 'The command thorn', file: 'cli.md' },
      { text: 'The queue in bull-board', file: 'recipes/bull-board.md' },
    ],
  },
  {
    text: 'Extend',
    collapsed: true,
    items: [
      { text: 'Strategies, signers, policies', file: 'extending.md' },
      { text: 'A repository of your own', file: 'extending/repository.md' },
      { text: 'Formats', file: 'extending/formats.md' },
    ],
  },
  {
    text: 'Look up',
    collapsed: true,
    items: [
      { text: 'Module options', file: 'reference/module.md' },
      { text: 'Strategy options', file: 'reference/strategies.md' },
      { text: 'API and page options', file: 'reference/api.md' },
      { text: 'Event options', file: 'reference/events.md' },
      { text: 'Management options', file: 'reference/management.md' },
      { text: 'Receiver and test options', file: 'reference/receiver.md' },
      { text: 'Routes', file: 'reference/rest.md' },
      { text: 'Bodies', file: 'reference/rest-bodies.md' },
      { text: 'Routes for operators', file: 'reference/rest-operators.md' },
      { text: 'Bodies for operators', file: 'reference/rest-operator-bodies.md' },
      { text: 'Errors', file: 'errors.md' },
      { text: 'Problems of the API', file: 'rest/problems.md' },
      { text: 'Commands', file: 'reference/cli.md' },
      { text: 'Tables', file: 'reference/tables.md' },
      { text: 'Metrics', file: 'reference/metrics.md' },
      { text: 'Emitted events', file: 'reference/lifecycle.md' },
    ],
  },
  {
    text: 'Move to it',
    collapsed: true,
    items: [
      { text: 'From code of your own', file: 'recipes/from-hand-written.md' },
      { text: 'From @nestjs/webhooks', file: 'recipes/from-nestjs-webhooks.md' },
      { text: 'From Svix', file: 'recipes/from-svix.md' },
      { text: 'From Thorn for Django', file: 'recipes/from-thorn.md' },
    ],
  },
  {
    text: 'For contributors',
    collapsed: true,
    items: [
      { text: 'Architecture', file: 'architecture.md' },
      { text: 'The walk of a message', file: 'architecture/walk.md' },
      { text: 'The walk of a sent event', file: 'architecture/walk-send.md' },
      { text: 'The walk of a request', file: 'architecture/walk-api.md' },
      { text: 'The parts of the page', file: 'architecture/page-parts.md' },
    ],
  },
];

/** Every page of the site, in its order. */
export function sitePages(): readonly SitePage[] {
  return PAGES.flatMap(({ items }) => items);
}
