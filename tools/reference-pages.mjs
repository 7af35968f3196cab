/**
 * A type whose members become a table.
 *
 * @typedef {{ type: string, title?: string, import?: string, rules?: boolean, own?: boolean }} Section
 */

/**
 * The pages of options, and the types on each. `rules`: a type that is complete inside, and given in part. `own`: without
 * what it inherits.
 *
 * @type {readonly { file: string, title: string, about: string, example: string, sections: readonly Section[] }[]}
 */
export const PAGES = [
  {
    file: 'module.md',
    title: 'Options of the module',
    about:
      'What `ThornModule.forRoot()` takes. `forRootAsync()` takes the same: [structure](#structure) beside `useFactory`, the rest from the factory; see [configuration](../configuration.md).',
    example: `ThornModule.forRoot({
  timeout: 5_000,
  retries: { schedule: [5_000, 60_000, 3_600_000] },
});`,
    sections: [
      { type: 'ThornModuleOptions', title: 'Values' },
      { type: 'ThornModuleExtras', title: 'Structure' },
      { type: 'RecipientRules', title: '`recipients`' },
      { type: 'StandardRetryPolicyOptions', title: '`retries`' },
      { type: 'AnswerHeaderOptions', title: '`answerHeaders`' },
      { type: 'UndiciHttpClientOptions', title: '`http`' },
      { type: 'TlsOptions', title: '`http.tls`' },
      { type: 'ShapeOptions', title: '`shapes`' },
      { type: 'HealthRules', title: '`health`', rules: true },
      { type: 'SigningOptions', title: '`signing`' },
      { type: 'UnsubscribeOptions', title: '`unsubscribe`' },
      { type: 'EncryptionOptions', title: '`encryption`' },
      { type: 'EncryptionKey', title: '`encryption.keys`' },
      { type: 'TableOptions', title: '`database`: every client', import: 'nestjs-thorn/sql' },
      { type: 'OwnConnections', title: '`database`: with `url`', import: 'nestjs-thorn/sql' },
      { type: 'GivenPool', title: '`database`: with `pool`', import: 'nestjs-thorn/sql' },
    ],
  },
  {
    file: 'strategies.md',
    title: 'Options of strategies',
    about:
      'A strategy is what `dispatch` names: where and when deliveries are made. See [delivery](../delivery.md) and [scaling](../scaling.md).',
    example: `ThornModule.forRoot({ dispatch: outbox({ perHost: 16, retentionDays: 14 }) });`,
    sections: [
      { type: 'OutboxOptions', title: '`outbox()`' },
      { type: 'EndpointRules', title: '`endpoints`', rules: true },
      { type: 'BullMqOptions', own: true, title: '`bullmq()`', import: 'nestjs-thorn/bullmq' },
      {
        type: 'MicroservicesOptions',
        own: true,
        title: '`microservices()`',
        import: 'nestjs-thorn/microservices',
      },
      { type: 'InlineOptions', title: '`inline()`' },
    ],
  },
  {
    file: 'api.md',
    title: 'Options of the REST API, the page and agents',
    about:
      'The options `api`, `operatorApi` and `page` of the module. See [the REST API](../rest.md), [the page](../page.md) and [agents](../mcp.md).',
    example: `ThornModule.forRoot({
  api: { guards: [AuthGuard], owner: (request) => request.user.id },
  page: thornPage({ brand: { name: 'Acme webhooks' } }),
});`,
    sections: [
      { type: 'ThornApiOptions', title: '`api`' },
      { type: 'ApiLimits', title: '`api.limits`' },
      { type: 'ApiDecorators', title: '`api.decorators`' },
      { type: 'OperatorApiOptions', title: '`operatorApi`' },
      { type: 'PageOptions', title: '`thornPage()`', import: 'nestjs-thorn/page' },
      { type: 'PageBrand', title: '`brand`', import: 'nestjs-thorn/page' },
      { type: 'PageLink', title: '`links`', import: 'nestjs-thorn/page' },
      {
        type: 'PortalLinkOptions',
        title: '`Portal.link()`',
        import: 'nestjs-thorn/page',
      },
      { type: 'DescribeThornApiOptions', title: '`describeThornApi()`' },
      {
        type: 'McpEventsOptions',
        title: '`McpEventsModule.forRoot()`',
        import: 'nestjs-thorn/mcp',
      },
    ],
  },
  {
    file: 'events.md',
    title: 'Options of events',
    about:
      'What the decorators, `defineEvents()` and `send()` take. See [events](../events.md) and [conditions](../conditions.md).',
    example: `await dispatcher.send('invoice.paid', { id: invoice.id }, { owner: user.id });`,
    sections: [
      { type: 'EntityEventOptions', own: true, title: '`@WebhookEvent` on an entity' },
      { type: 'EntityEventSettings', title: '`@Webhooks`' },
      { type: 'ColumnSettings', title: '`@Webhooks`: columns' },
      { type: 'MethodSuccessOptions', title: '`@WebhookEvent` on a method' },
      { type: 'TableEventOptions', own: true, title: '`defineTableEvents()`: an event' },
      { type: 'EventDefinition', title: '`defineEvents()`' },
      { type: 'SendOptions', title: '`send()`' },
      { type: 'BufferOptions', title: '`buffer()`' },
      { type: 'BulkSettings', title: '`@Webhooks`: writes by criteria' },
    ],
  },
  {
    file: 'management.md',
    title: 'Options of queries and long work',
    about:
      'What the methods of `Subscribers`, `Deliveries` and `Maintenance` take. See [the delivery log](../delivery.md#the-delivery-log) and [retention](../operations.md#retention).',
    example: `await deliveries.list({ status: 'failed', since: yesterday }, { owner: user.id });`,
    sections: [
      { type: 'SubscriberQuery', title: '`Subscribers.list()`' },
      { type: 'DeliveryQuery', title: '`Deliveries.list()`' },
      { type: 'ReplayOptions', title: '`Deliveries.retryFailed()` and `Deliveries.backfill()`' },
      { type: 'DeliveryHistoryOptions', title: '`Deliveries.history()`' },
      { type: 'PruneOptions', title: '`Maintenance.prune()`' },
      { type: 'ResealOptions', title: '`Maintenance.reseal()`' },
    ],
  },
  {
    file: 'receiver.md',
    title: 'Options of receivers, tests and monitoring',
    about:
      'The options of the other entries. See [receiving](../receiving.md), [testing](../testing.md) and [observability](../observability.md).',
    example: `import { ThornReceiverModule } from 'nestjs-thorn/receiver';

ThornReceiverModule.forRoot({
  receivers: { store: { scheme: 'standard', secrets: [process.env.STORE_WEBHOOK_SECRET!] } },
});`,
    sections: [
      {
        type: 'ThornReceiverModuleOptions',
        title: '`ThornReceiverModule.forRoot()`',
        import: 'nestjs-thorn/receiver',
      },
      { type: 'ReceiverOptions', title: '`receivers`', import: 'nestjs-thorn/receiver' },
      { type: 'DeduplicationOptions', title: '`deduplication`', import: 'nestjs-thorn/receiver' },
      { type: 'InOrderOptions', title: '`processInOrder`', import: 'nestjs-thorn/receiver' },
      {
        type: 'ThornReceiverModuleExtras',
        title: 'Structure of the receiver',
        import: 'nestjs-thorn/receiver',
      },
      {
        type: 'VerifierOptions',
        title: '`new WebhookVerifier()`',
        import: 'nestjs-thorn/receiver',
      },
      {
        type: 'WaitOptions',
        title: '`ScriptedReceiver.waitFor()`',
        import: 'nestjs-thorn/testing',
      },
      {
        type: 'ThornMetricsOptions',
        title: '`ThornMetricsModule`',
        import: 'nestjs-thorn/prometheus',
      },
      {
        type: 'OpenTelemetryOptions',
        title: '`openTelemetry()`',
        import: 'nestjs-thorn/opentelemetry',
      },
      { type: 'ThornHealthOptions', title: '`isHealthy()`', import: 'nestjs-thorn/terminus' },
      {
        type: 'OpenApiWebhooksOptions',
        title: '`openApiWebhooks()`',
        import: 'nestjs-thorn/openapi',
      },
      { type: 'AsyncApiOptions', title: '`asyncApiDocument()`', import: 'nestjs-thorn/openapi' },
    ],
  },
  {
    file: 'lifecycle.md',
    title: 'Events that are emitted',
    about:
      'What `WebhookEvents` tells the application about messages, deliveries and subscribers. Channels of `node:diagnostics_channel` have each of them as well, as `thorn:<name>`. Times are milliseconds since the Unix epoch.',
    example: `webhookEvents.on('subscriber-disabled', ({ owner, host, reason }) =>
  mailer.send(owner, \`Your webhooks to \${host} were switched off: \${reason}\`),
);`,
    sections: [
      { type: 'WebhookEventMap', title: 'Events' },
      { type: 'DeliveryFacts', title: 'What deliveries have' },
      { type: 'AttemptFacts', title: 'What attempts have' },
      { type: 'SubscriberFacts', title: 'What subscribers have' },
    ],
  },
];
