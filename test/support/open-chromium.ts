import { type Browser, chromium } from 'playwright-core';
import { inject } from 'vitest';

/** Connects to the browser of this run. Closing the connection closes its windows, and leaves those of other files alone. */
export function openChromium(): Promise<Browser> {
  return chromium.connect(inject('chromiumUrl'));
}
