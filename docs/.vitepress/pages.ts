/** A page of the site, by its path below `docs/`. */
export interface SitePage {
  readonly text: string;
  readonly file: string;
}

/** The pages in the order in which a reader needs them. */
export const PAGES: readonly { readonly text: string; readonly items: readonly SitePage[] }[] = [
  {
    text: 'Getting started',
    items: [
      { text: 'What it is', file: 'index.md' },
      { text: 'Five minutes', file: 'getting-started.md' },
      { text: 'Tutorial', file: 'tutorial.md' },
      { text: 'With Prisma', file: 'tutorial/prisma.md' },
      { text: 'With Drizzle', file: 'tutorial/drizzle.md' },
      { text: 'Set it up', file: 'configuration.md' },
      { text: 'Database clients', file: 'databases.md' },
      { text: 'SQLite', file: 'databases/sqlite.md' },
      { text: 'Connections', file: 'databases/connections.md' },
    ],
  },
  {
    text: 'Declare and send',
    items: [
      { text: 'Events on entities', file: 'events.md' },
      { text: 'Which changes send events', file: 'events/changes.md' },
      { text: 'Which writes are seen', file: 'events/writes.md' },
      { text: 'Changes by SQL', file: 'events/change-feed.md' },
      { text: 'Conditions', file: 'conditions.md' },
      { text: 'Events on methods', file: 'events/methods.md' },
      { text: 'Send by hand', file: 'events/sending.md' },
      { text: 'Settings of events', file: 'events/settings.md' },
      { text: 'Describe events', file: 'catalogue.md' },
    ],
  },
  {
    text: 'Deliver',
    items: [
      { text: 'Delivery', file: 'delivery.md' },
      { text: 'Retries and schedules', file: 'retries.md' },
      { text: 'Order', file: 'order.md' },
      { text: 'Workers with BullMQ', file: 'scaling.md' },
      { text: 'RabbitMQ and others', file: 'scaling/brokers.md' },
    ],
  },
  {
    text: 'Let users in',
    items: [
      { text: 'The page', file: 'page.md' },
      { text: 'The REST API', file: 'rest.md' },
      { text: 'Subscribers', file: 'rest/subscribers.md' },
      { text: 'The delivery log', file: 'rest/deliveries.md' },
      { text: 'Events by cursor', file: 'rest/history.md' },
      { text: 'For receivers', file: 'rest/receivers.md' },
      { text: 'For operators', file: 'rest/operators.md' },
      { text: 'Agents', file: 'mcp.md' },
    ],
  },
  {
    text: 'Receive',
    items: [
      { text: 'Receiving webhooks', file: 'receiving.md' },
      { text: 'Each message once', file: 'receiving/once.md' },
      { text: 'Verify in any language', file: 'verify.md' },
    ],
  },
  {
    text: 'Run',
    items: [
      { text: 'Test your application', file: 'testing.md' },
      { text: 'Operate and size', file: 'operations.md' },
      { text: 'Migrations', file: 'migrations.md' },
      { text: 'Observe', file: 'observability.md' },
      { text: 'Self-check', file: 'self-check.md' },
      { text: 'The command thorn', file: 'cli.md' },
      { text: 'Secure', file: 'security.md' },
      { text: 'Extend', file: 'extending.md' },
      { text: 'A repository', file: 'extending/repository.md' },
      { text: 'Formats', file: 'extending/formats.md' },
    ],
  },
  {
    text: 'Reference',
    items: [
      { text: 'Module options', file: 'reference/module.md' },
      { text: 'Strategy options', file: 'reference/strategies.md' },
      { text: 'API and page options', file: 'reference/api.md' },
      { text: 'Event options', file: 'reference/events.md' },
      { text: 'Management options', file: 'reference/management.md' },
      { text: 'Receiver and test options', file: 'reference/receiver.md' },
      { text: 'Emitted events', file: 'reference/lifecycle.md' },
      { text: 'Routes', file: 'reference/rest.md' },
      { text: 'Bodies', file: 'reference/rest-bodies.md' },
      { text: 'Routes for operators', file: 'reference/rest-operators.md' },
      { text: 'Bodies for operators', file: 'reference/rest-operator-bodies.md' },
      { text: 'Tables', file: 'reference/tables.md' },
      { text: 'Metrics', file: 'reference/metrics.md' },
      { text: 'Commands', file: 'reference/cli.md' },
      { text: 'Errors', file: 'errors.md' },
      { text: 'Problems of the API', file: 'rest/problems.md' },
      { text: 'Guarantees', file: 'guarantees.md' },
      { text: 'Threats and tests', file: 'security/threats.md' },
    ],
  },
  {
    text: 'Recipes',
    items: [
      { text: 'Passport, JWT and sessions', file: 'recipes/passport.md' },
      { text: 'Many customers', file: 'recipes/multi-tenant.md' },
      { text: 'Docker and Kubernetes', file: 'recipes/docker.md' },
      { text: 'Between your own services', file: 'recipes/internal-events.md' },
      { text: 'bull-board', file: 'recipes/bull-board.md' },
    ],
  },
  {
    text: 'Compare and move',
    items: [
      { text: 'Alternatives', file: 'comparison.md' },
      { text: 'From code of your own', file: 'recipes/from-hand-written.md' },
      { text: 'From @nestjs/webhooks', file: 'recipes/from-nestjs-webhooks.md' },
      { text: 'From Svix', file: 'recipes/from-svix.md' },
      { text: 'From Thorn for Django', file: 'recipes/from-thorn.md' },
    ],
  },
  {
    text: 'Internals',
    items: [
      { text: 'Architecture', file: 'architecture.md' },
      { text: 'The walk of a message', file: 'architecture/walk.md' },
    ],
  },
];

/** Every page of the site, in its order. */
export function sitePages(): readonly SitePage[] {
  return PAGES.flatMap(({ items }) => items);
}
