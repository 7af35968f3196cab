import { RequestMethod, VersioningType } from '@nestjs/common';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thornPage } from '../../lib/page/index.js';
import { openChromium } from '../support/open-chromium.js';
import { serve } from '../support/page-host.js';
import { type Api, type ApiSetUp, platforms, startApi } from '../support/apps/api-app.js';
import { PageVisitor } from '../support/page-visitor.js';
import { downloaded } from '../support/downloaded.js';

let browser: Browser;
beforeAll(async () => {
  browser = await openChromium();
}, 180_000);
afterAll(() => browser.close());

const open = { unprotected: true, owner: () => 'alice' } as const;

/** Ways in which applications place their routes, and where the page is then. */
const PLACES: Readonly<Record<string, ApiSetUp['configure']>> = {
  '/webhooks?a=1': undefined,
  '/webhooks/': undefined,
  '/api/webhooks': (app) => app.setGlobalPrefix('api'),
  '/webhooks': (app) =>
    app.setGlobalPrefix('v7', {
      exclude: [
        { path: 'webhooks', method: RequestMethod.ALL },
        { path: 'webhooks/assets/:file', method: RequestMethod.ALL },
      ],
    }),
  '/api/webhooks/': (app) =>
    app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
};

describe.each(platforms)('the page on %s', (platform) => {
  it.each(Object.entries(PLACES))('works at %s', async (path, configure) => {
    const api = await startApi(platform, {
      api: open,
      thorn: { page: thornPage({ documents: { openApi: '/docs' } }) },
      ...(configure && { configure }),
    });
    const visitor = await PageVisitor.start(browser);
    try {
      await visitor.page.goto(`${api.url}${path}#/events/article.created`);
      await visitor.page.getByText('"Hello"').waitFor();
      expect(await visitor.page.title()).toBe('Events · Webhooks');
      const documents = visitor.page.getByRole('link', { name: 'OpenAPI' });
      expect(await documents.getAttribute('href')).toBe('/docs');
      const saved = visitor.page.waitForEvent('download');
      await visitor.page.getByRole('button', { name: 'Download AsyncAPI' }).click();
      const file = await saved;
      expect(file.suggestedFilename()).toBe('asyncapi.json');
      expect(JSON.parse((await downloaded(file)).toString())).toMatchObject({
        components: { messages: { 'article.created': { name: 'article.created' } } },
      });
    } finally {
      await visitor.end();
      await api.app.close();
    }
  });

  describe('serves', () => {
    let api: Api;
    beforeAll(async () => {
      api = await startApi(platform, {
        api: open,
        thorn: { page: thornPage({ brand: { name: `<b>"Ada's" & co</b>` }, signIn: '/login' }) },
        // What helmet sets by default, before any route.
        configure: (app) =>
          app.use(
            (
              _request: unknown,
              response: { setHeader(name: string, value: string): void },
              next: () => void,
            ) => {
              response.setHeader(
                'Content-Security-Policy',
                "default-src 'self'; script-src 'self'",
              );
              response.setHeader('X-Frame-Options', 'SAMEORIGIN');
              next();
            },
          ),
      });
    });
    afterAll(() => api.app.close());

    it('a document that allows its own files alone and refuses frames', async () => {
      const answer = await fetch(`${api.url}/webhooks`);

      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
      expect(answer.headers.get('cache-control')).toBe('private, no-store');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      const html = await answer.text();
      expect(html).toContain('<title>&lt;b&gt;&quot;Ada&#39;s&quot; &amp; co&lt;/b&gt;</title>');
      expect(html).not.toMatch(/<b>|<script(?![^>]* src=)| style=/);
    });

    it('files that are kept for ever, with and without compression', async () => {
      const headers = { 'accept-language': 'fr, de-AT;q=0.8, en;q=0.5' };
      const html = await (await fetch(`${api.url}/webhooks/`, { headers })).text();
      const files = [...html.matchAll(/"(\.\/assets\/[^"]+)"/g)].map(([, file]) => file!);
      expect(files).toHaveLength(3);
      expect(files).toContainEqual(expect.stringMatching(/\/de-[\w-]+\.js$/));
      for (const file of files) {
        const url = new URL(file, `${api.url}/webhooks/`);
        const texts = [];
        for (const encoding of ['gzip', 'identity']) {
          const answer = await fetch(url, { headers: { 'accept-encoding': encoding } });
          expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
          expect(answer.headers.get('content-type')).toMatch(/^text\/(?:javascript|css)/);
          expect(answer.headers.get('content-encoding')).toBe(encoding === 'gzip' ? 'gzip' : null);
          texts.push(await answer.text());
        }
        expect(texts[0]).toBe(texts[1]);
        expect(texts[0]!.length).toBeGreaterThan(1000);
      }
      expect((await fetch(`${api.url}/webhooks/assets/other.js`)).status).toBe(404);
      expect((await fetch(`${api.url}/webhooks`, { method: 'POST' })).status).toBe(404);
    });

    it('nothing of anybody without the guards of the API', async () => {
      expect((await api.send('GET', '/webhooks/hooks')).status).toBe(404);
    });
  });
});

describe('a frame', () => {
  it('is allowed for the origins of the option alone', async () => {
    const inner = await startApi('express', {
      api: open,
      thorn: { page: thornPage({ frameAncestors: ['http://127.0.0.1:*'] }) },
    });
    const closed = await startApi('express', { api: open, thorn: { page: thornPage() } });
    const host = await serve(
      [inner, closed]
        .map(({ url }, at) => `<iframe name="${'ab'[at]}" src="${url}/webhooks"></iframe>`)
        .join(''),
    );
    const visitor = await PageVisitor.start(browser);
    try {
      const { page } = visitor;
      await page.goto(host.url);
      await page.frameLocator('[name=a]').getByRole('heading', { name: 'Overview' }).waitFor();
      // What the browser shows in the place of a document that refuses.
      await expect.poll(() => page.frame('b')?.url()).toMatch(/^chrome-error:/);
      // The console comes in its own time.
      await expect.poll(() => visitor.complaints.splice(0).length).toBeGreaterThan(0);
    } finally {
      await visitor.end();
      await host.stop();
      await inner.app.close();
      await closed.app.close();
    }
  });
});

it('is refused without the API, and with options that make no sense', () => {
  const start = (thorn: ApiSetUp['thorn']) =>
    startApi('express', { thorn: thorn ?? {}, api: open });
  expect(() => thornPage({ path: 'a/:b' })).toThrow('path');
  expect(() => thornPage({ frameAncestors: ["'self'; script-src *"] })).toThrow('frameAncestors');
  expect(() => thornPage({ documents: { openApi: 'javascript:alert(1)' } })).toThrow(
    'documents.openApi',
  );
  expect(() => thornPage({ links: [{ label: 'x', url: 'javascript:alert(1)' }] })).toThrow('links');
  expect(() => thornPage({ signIn: 'javascript:alert(1)' })).toThrow('signIn');
  expect(() => thornPage({ title: 'Acme' } as object)).toThrow('title');
  return expect(start({ page: {} as never })).rejects.toThrow('thornPage()');
});
