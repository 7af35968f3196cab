import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { installPackage } from './server.js';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Starts Chromium from the machine, which is installed by apt-get when there is none and that is possible.
 *
 * @throws Error with the command to type when there is none
 */
export async function startChromium(): Promise<Browser> {
  if (!PATHS.some(existsSync)) await installPackage('chromium');
  const executablePath = PATHS.find(existsSync);
  if (executablePath === undefined) {
    throw new Error(
      'The tests need Chromium and found none. Install it:\n  sudo apt-get install -y chromium',
    );
  }
  // Root may not start it otherwise, and containers have little shared memory.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];
  return chromium.launch({ executablePath, args });
}
