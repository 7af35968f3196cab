import { existsSync } from 'node:fs';
import { type Browser, chromium, type LaunchOptions } from 'playwright-core';
import { installPackage, type Server } from './server.js';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * The popups of the address bar are pages of their own in each window, and cost three times as much as what is tested.
 * Chromium takes the last list alone, so that what Playwright turns off is here as well.
 */
const TURNED_OFF = [
  ...['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup'],
  ...['AvoidCorsURLLoaderRestartOnRedirect', 'AvoidUnnecessaryBeforeUnloadCheckSync'],
  ...['DestroyProfileOnBrowserClose', 'HttpsFirstBalancedModeAutoEnable', 'HttpsUpgrades'],
  ...['AimEnabled', 'LensOverlay', 'MediaRouter', 'NetworkTimeServiceQuerying'],
  ...['OptimizationHints', 'PaintHolding', 'PreconnectToSearch', 'ThirdPartyStoragePartitioning'],
];

/**
 * Starts Chromium from the machine, which is installed by apt-get when there is none and that is possible.
 *
 * @throws Error with the command to type when there is none
 */
export async function startChromium(): Promise<Browser> {
  return chromium.launch(await launchOptions());
}

/**
 * The same as a server, whose browser many processes share.
 *
 * @throws Error with the command to type when there is none
 */
export async function startChromiumServer(): Promise<Server> {
  const server = await chromium.launchServer(await launchOptions());
  return { url: server.wsEndpoint(), stop: () => server.close() };
}

async function launchOptions(): Promise<LaunchOptions> {
  if (!PATHS.some(existsSync)) await installPackage('chromium');
  const executablePath = PATHS.find(existsSync);
  if (executablePath === undefined) {
    throw new Error(
      'The tests need Chromium and found none. Install it:\n  sudo apt-get install -y chromium',
    );
  }
  // Root may not start it otherwise, and containers have little shared memory.
  const args = [
    ...['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    `--disable-features=${TURNED_OFF.join(',')}`,
  ];
  return { executablePath, args };
}
