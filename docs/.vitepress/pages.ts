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
      { text: 'Tutorial', file: 'tutorial.md' },
    ],
  },
  {
    text: 'Guides',
    items: [
      { text: 'Configuration', file: 'configuration.md' },
      { text: 'Events', file: 'events.md' },
      { text: 'Conditions', file: 'conditions.md' },
      { text: 'Delivery', file: 'delivery.md' },
      { text: 'Retries', file: 'retries.md' },
      { text: 'Order', file: 'order.md' },
      { text: 'The page', file: 'page.md' },
      { text: 'Receiving webhooks', file: 'receiving.md' },
      { text: 'Verify in any language', file: 'verify.md' },
      { text: 'Testing', file: 'testing.md' },
      { text: 'Scaling', file: 'scaling.md' },
      { text: 'Operations', file: 'operations.md' },
      { text: 'Observability', file: 'observability.md' },
      { text: 'Self-check', file: 'self-check.md' },
      { text: 'Security', file: 'security.md' },
      { text: 'Extending', file: 'extending.md' },
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
      { text: 'Guarantees', file: 'guarantees.md' },
      { text: 'REST API', file: 'rest.md' },
      { text: 'Catalogue', file: 'catalogue.md' },
      { text: 'Command line', file: 'cli.md' },
      { text: 'Errors', file: 'errors.md' },
    ],
  },
  {
    text: 'Recipes',
    items: [
      { text: 'Many customers', file: 'recipes/multi-tenant.md' },
      { text: 'Between your own services', file: 'recipes/internal-events.md' },
      { text: 'bull-board', file: 'recipes/bull-board.md' },
      { text: 'From code of your own', file: 'recipes/from-hand-written.md' },
      { text: 'From Svix', file: 'recipes/from-svix.md' },
      { text: 'From Thorn for Django', file: 'recipes/from-thorn.md' },
    ],
  },
  {
    text: 'About',
    items: [
      { text: 'Alternatives', file: 'comparison.md' },
      { text: 'Architecture', file: 'architecture.md' },
    ],
  },
];

/** Every page of the site, in its order. */
export function sitePages(): readonly SitePage[] {
  return PAGES.flatMap(({ items }) => items);
}
