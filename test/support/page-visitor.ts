import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expect, inject } from 'vitest';

/** Its source takes a browser longer to read than to run. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** A person in front of the page. Whatever the browser complains of is remembered, and fails the test at its end. */
export class PageVisitor {
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on('console', (message) => {
      // The browser's own line about an answer that is not a success; the tests look at what the page makes of it.
      if (message.text().startsWith('Failed to load resource')) return;
      if (message.type() === 'error' || message.type() === 'warning') {
        this.complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  static async start(browser: Browser, options: BrowserContextOptions = {}): Promise<PageVisitor> {
    const context = await browser.newContext({
      locale: 'en-GB',
      reducedMotion: 'reduce',
      ...options,
    });
    const page = await context.newPage();
    // Much runs at the same time as a browser.
    page.setDefaultTimeout(inject('patience'));
    return new PageVisitor(context, page);
  }

  /** @throws when a policy was violated, or something was written to the console */
  async end(): Promise<void> {
    // A route may still hold an answer, which the page has no use for any more.
    await this.page.unrouteAll({ behavior: 'ignoreErrors' });
    await this.context.close();
    expect(this.complaints).toEqual([]);
  }

  /** Looks for what people with disabilities cannot use, in light and in dark. */
  async expectAccessible(): Promise<void> {
    // Not as a script of the document: its policy forbids that, and is to be tested as it is.
    if (!(await this.page.evaluate<boolean>(`'axe' in window`))) await this.page.evaluate(AXE);
    for (const colorScheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await this.page.evaluate<AxeResults>(
        `axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
          .then(({ violations }) => ({ violations }))`,
      );
      const found = violations.map(({ id, help, nodes }) => ({
        colorScheme,
        id,
        help,
        nodes: nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`),
      }));
      expect(found).toEqual([]);
    }
    await this.page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  }

  /** Presses the key Tab until something has the focus whose name holds a text. */
  async tabTo(name: string): Promise<void> {
    for (let step = 0; step < 60; step += 1) {
      await this.page.keyboard.press('Tab');
      if ((await this.page.evaluate<string>(FOCUSED)).includes(name)) return;
    }
    throw new Error(`the key Tab does not lead to ${name}`);
  }

  /** @throws when something reaches beyond the right edge */
  async expectNoOverflow(): Promise<void> {
    // A chart is drawn anew after the window has changed.
    const overflow = () =>
      this.page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    await expect.poll(overflow).toBeLessThanOrEqual(0);
  }
}

/** The name of the element that has the focus, as it is read out, and what is around it. */
const FOCUSED = `(() => {
  const one = document.activeElement;
  if (one === document.body) return '';
  return [one.textContent, one.labels?.[0]?.textContent, one.getAttribute('aria-label')].join(' ');
})()`;
