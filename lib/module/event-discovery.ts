import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { ApiSettings } from '../api/index.js';
import { injectDispatcher } from '../capture/decorators/method-event.js';
import { ReportedSources } from '../capture/index.js';
import { DeclaredEvents } from '../capture/plan/declared-events.js';
import { declaredTables } from '../capture/tables/define-table-events.js';
import { noDataWarning, secretsWarning } from '../capture/plan/declaration-warnings.js';
import { TransactionRequiredError } from '../database/errors.js';
import {
  DispatchStrategy,
  InlineStrategy,
  Transactions,
  WebhookDispatcher,
} from '../dispatch/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import {
  decoratedEntities,
  type EntityClass,
  EventCatalogue,
  isEntityClass,
  methodEventsOf,
  nearestNames,
} from '../event/index.js';
import { SqlClients } from '../outbox/index.js';
import { StaticSubscriberSet, SubscriberRules } from '../subscriber/index.js';
import { EntityCaptures, EntitySources } from '../capture/entity-sources.js';
import { MODULE_CHECKS, ThornSettings } from './options/settings.js';
import { TransactionHosts } from './providers/transaction-hosts.js';

/** Finds the events that the application's classes declare, and declarations that lead to nothing. */
@Injectable()
export class EventDiscovery {
  readonly #logger = new Logger('Thorn');
  readonly #hosts: TransactionHosts;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly declared: DeclaredEvents,
    private readonly sources: EntitySources,
    private readonly captures: EntityCaptures,
    private readonly catalogue: EventCatalogue,
    private readonly statics: StaticSubscriberSet,
    private readonly settings: ThornSettings,
    private readonly dispatcher: WebhookDispatcher,
    private readonly clients: SqlClients,
    @Optional() @Inject(ApiSettings) private readonly api: ApiSettings | undefined,
    private readonly transactions: Transactions,
    private readonly reported: ReportedSources,
    private readonly strategy: DispatchStrategy,
    private readonly rules: SubscriberRules,
  ) {
    this.#hosts = new TransactionHosts(discovery);
  }

  /** Makes the events of methods known. The events of entities are known since their data sources were attached. */
  run(): void {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    const classes = wrappers.map(({ metatype }) => metatype).filter(isEntityClass);
    for (const type of classes) this.#addMethods(type);
    this.#adopt(wrappers);
    const instances = wrappers.map(({ instance }) => instance as unknown);
    this.captures.assertKnown(classes, instances);
    this.#checkReported();
    this.#checkApiUrls();
    this.#warnOfUnknownEntities();
    this.#warnOfUnlistedTables();
    this.#warnOfSecrets();
    this.#warnOfNoData();
    this.#warnOfNoEvents();
    this.#checkPatterns();
    this.statics.checkBodies((subscriber) => this.rules.checkBodies?.(subscriber));
  }

  /** Refuses `inline()` with reported tables: only workers of the outbox make messages of the changes that triggers report. */
  #checkReported(): void {
    MODULE_CHECKS.assert(
      'dispatch',
      this.reported.all.length === 0 || !(this.strategy instanceof InlineStrategy),
      'is inline(), which has no worker to read what triggers report: say outbox(), or leave it out',
    );
  }

  /** Refuses URLs that do not lead to the routes of the REST API, where this process has it. */
  #checkApiUrls(): void {
    if (this.api === undefined) return;
    const { path } = this.api;
    const { shapes, unsubscribe } = this.settings.options;
    for (const [name, url] of [
      ['shapes.url', shapes?.url],
      ['unsubscribe.url', unsubscribe?.url],
    ] as const) {
      const isFine = url === undefined || url.replace(/\/+$/, '').endsWith(`/${path}`);
      const fix = `must end with the path of the REST API: https://api.example.com/${path}`;
      MODULE_CHECKS.assert(name, isFine, fix);
    }
  }

  /** Lets the methods of instances send that factories have answered, or that were given as values. */
  #adopt(wrappers: ReturnType<DiscoveryService['getProviders']>): void {
    for (const { instance, metatype } of wrappers) {
      const given: unknown = instance;
      if (typeof given !== 'object' || given === null) continue;
      const { constructor: type } = (Object.getPrototypeOf(given) ?? {}) as {
        constructor?: unknown;
      };
      if (type === metatype || !isEntityClass(type)) continue;
      if (injectDispatcher(given, this.dispatcher)) this.#addMethods(type);
    }
  }

  #addMethods(type: EntityClass): void {
    this.declared.addMethods(type);
    if (!this.transactions.isRequired) return;
    // An event that is sent on an error is in no transaction: the error rolls the transaction back.
    const silent = methodEventsOf(type.prototype as object).filter(
      ({ on, namesTransaction }) => on === 'success' && !namesTransaction,
    );
    // With TypeORM, the transaction in which the method is called can be found.
    const isTold = this.#hosts.areThere || this.captures.knowsCallers;
    const event = silent.find(({ isReplacedBelow }) => isReplacedBelow || !isTold);
    if (event === undefined) return;
    const declaration = `@WebhookEvent('${event.name}') on ${type.name}.${event.method}`;
    throw new TransactionRequiredError(
      isTold
        ? `${declaration} is above a decorator that replaces the method. If that is @Transactional(), the transaction has ended when the event is sent. Write @WebhookEvent() below all other decorators of the method, or add tx: null, to send at once when the method has resolved.`
        : `${declaration} does not say which transaction its messages belong to. Add tx: (args) => …, which answers the transaction that the method was given; or tx: null, to send at once when the method has resolved.`,
    );
  }

  /** Warns of decorated classes that no data source has as entities. It is no error: another application may use them. */
  #warnOfUnknownEntities(): void {
    const unknown = this.captures.unknown(decoratedEntities()).map(({ name }) => name);
    if (unknown.length === 0) return;
    if (this.sources.databases.length === 0) return this.#warnWithoutTypeOrm(unknown);
    this.#logger.warn(
      `No captured data source knows ${unknown.join(', ')} as an entity, so that the events of @WebhookEvent on ` +
        `${unknown.length === 1 ? 'it' : 'them'} are never sent. Add @Entity(), and list the class in ` +
        `TypeOrmModule.forFeature([${unknown.join(', ')}]) of a module or in the data source's entities. Name its data ` +
        'source in the option dataSources if it is another one.',
    );
  }

  /** Warns of declared tables beside those of the option `tables`. It is no error: another application may have them. */
  #warnOfUnlistedTables(): void {
    const { tables = [] } = this.settings.options;
    if (tables.length === 0) return;
    const unlisted = declaredTables().filter((one) => !tables.includes(one));
    if (unlisted.length === 0) return;
    const names = unlisted.map(({ declaration }) => declaration).join(', ');
    this.#logger.warn(
      `The option tables does not name ${names}, so that ${unlisted.length === 1 ? 'its' : 'their'} events are never ` +
        'sent by this application. Add what it returns to tables.',
    );
  }

  /** Warns that events of entities need TypeORM. Without any database there is no warning: another application has the entities. */
  #warnWithoutTypeOrm(names: readonly string[]): void {
    const [client] = this.clients.all;
    if (client === undefined) return;
    this.#logger.warn(
      `Events of entities need TypeORM, and the option database gives ${client.name}: those of @WebhookEvent on ` +
        `${names.join(', ')} are never sent. Declare them on the tables, with defineTableEvents().`,
    );
  }

  #warnOfSecrets(): void {
    for (const found of this.captures.secrets()) {
      const fix = (names: string) =>
        `Hide them: @Webhooks<${found.entity}>({ hidden: [${names}] })`;
      this.#logger.warn(secretsWarning(found, fix));
    }
  }

  #warnOfNoData(): void {
    for (const found of this.captures.eventsWithoutData()) {
      const { entity } = found;
      const fix = `@Webhooks<${entity}>({ payload: ({ id }) => ({ id }) })`;
      this.#logger.warn(noDataWarning(found, { declaration: entity, fix }));
    }
  }

  /** Subscribers' patterns are compared with the declared events, so that misspelt ones are refused. */
  #warnOfNoEvents(): void {
    if (this.api === undefined || this.catalogue.names().length > 0) return;
    if (this.settings.options.eventTypes !== undefined) return;
    this.#logger.warn(
      'No event is declared, so the REST API accepts any subscription, to misspelt events as well, and the page has no ' +
        "events to choose from. Declare those that are sent: events: defineEvents({ 'order.placed': { description: '…' } }). " +
        "Where any name is meant, say eventTypes: ['*'].",
    );
  }

  /** Events that are not declared can be sent as well, unless the option `strictEvents` refuses them. */
  #checkPatterns(): void {
    this.catalogue.checkReplacements();
    const { strictEvents = false } = this.settings.options;
    const names = this.catalogue.names();
    if (names.length === 0 && !strictEvents) return;
    const ofSubscribers = this.statics.patterns.filter((one) => !this.catalogue.isMatchedBy(one));
    const unmatched = [
      ...ofSubscribers.map((pattern) => ['subscribers', pattern] as const),
      ...this.catalogue.unmatchedEventTypes().map((pattern) => ['eventTypes', pattern] as const),
    ];
    for (const [option, pattern] of unmatched) {
      const nearest = nearestNames(pattern, names);
      const text =
        `The option ${option}: the pattern '${pattern}' matches no declared event. ` +
        (nearest.length === 0 ? '' : `Did you mean ${nearest.join(' or ')}? `) +
        'Correct the pattern, or declare the event with defineEvents().';
      if (strictEvents)
        throw new ThornConfigurationError('THORN_PATTERN_UNMATCHED', text, { pattern });
      this.#logger.warn(text);
    }
  }
}
