import type { Browser } from 'playwright-core';
import { expect, vi } from 'vitest';
import {
  Deliveries,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../../lib/index.js';
import { thornPage } from '../../../lib/page/index.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../../lib/testing/index.js';
import { openChromium } from '../open-chromium.js';
import { createDatabase, type TestDatabase } from '../databases.js';
import { PageVisitor } from '../page-visitor.js';
import { type Api, startApi } from './api-app.js';

interface EndpointFields {
  readonly path?: string;
  /** Default: those that {@link OwnerPage.deliver} sends. */
  readonly events?: readonly string[];
  readonly secret?: string;
}

/** An application with the page, whose visitors are all alice, a receiver, and a browser in front of it. */
export class OwnerPage {
  private constructor(
    readonly browser: Browser,
    private readonly database: TestDatabase,
    readonly receiver: ScriptedReceiver,
    readonly api: Api,
  ) {}

  static async start(thorn: ThornModuleOptions & ThornModuleExtras = {}): Promise<OwnerPage> {
    const browser = await openChromium();
    const database = await createDatabase('memory');
    const receiver = await ScriptedReceiver.start();
    const api = await startApi('express', {
      api: { unprotected: true, owner: () => 'alice', limits: { subscribersPerHost: 1000 } },
      store: database,
      thorn: {
        page: thornPage(),
        // No retry comes in between.
        retries: { schedule: [3_600_000] },
        recipients: { ...LOOPBACK_RECIPIENTS, allowedPorts: 'any' },
        ...thorn,
      },
    });
    return new OwnerPage(browser, database, receiver, api);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.api.app.close();
    await this.receiver.stop();
    await this.database.drop();
  }

  /** Removes all endpoints, and opens a browser window. */
  async visit(): Promise<PageVisitor> {
    this.receiver.clear();
    this.receiver.otherwise(200);
    const { items } = await this.api.subscribers.list({ limit: 100 }, 'any');
    for (const { id } of items) await this.api.subscribers.delete(id, 'any');
    return PageVisitor.start(this.browser);
  }

  url(place: string): string {
    return `${this.api.url}/webhooks#${place}`;
  }

  /** An endpoint of alice's. */
  async endpoint({ path = '', ...fields }: EndpointFields = {}): Promise<string> {
    const { id } = await this.api.subscribers.create({
      url: this.receiver.url + path,
      events: ['article.*'],
      owner: 'alice',
      ...fields,
    });
    return id;
  }

  /** Sends an event. @returns the id of its delivery, once one attempt was made */
  async deliver(endpoint: string, data: object, to = 'alice'): Promise<string> {
    const deliveries = this.api.app.get(Deliveries);
    const list = async () => (await deliveries.list({ subscriberId: endpoint }, 'any')).items;
    const before = (await list()).length;
    await this.api.app.get(WebhookDispatcher).send('article.created', data, { owner: to });
    await vi.waitFor(async () => expect(await list()).toHaveLength(before + 1));
    const { id } = (await list())[0]!;
    await vi.waitFor(async () =>
      expect(await deliveries.findById(id, 'any')).toMatchObject({ attemptCount: 1 }),
    );
    return id;
  }
}
