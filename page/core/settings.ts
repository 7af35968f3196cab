import type { ShellSettings } from '../../lib/page/shell.js';

/** The folder of the page, with a slash at its end. This file is served one folder below it. */
const folder = new URL(/* @vite-ignore */ '..', import.meta.url);

/** The values that the server gave. */
export let settings: ShellSettings;
/** The element that contains the page. */
export let container: HTMLElement;
/**
 * The element with the language, the theme and the colours: the root of the page's document, or the container in
 * another document.
 */
export let root: HTMLElement;

export const sessionUrl = new URL('session', folder);
export let apiUrl: URL;
export let operatorUrl: URL | null;

/** Sets the values. Called before anything else. */
export function begin(given: ShellSettings, into: HTMLElement, top = into): void {
  settings = given;
  container = into;
  root = top;
  apiUrl = new URL(settings.api, folder);
  operatorUrl = settings.operatorApi === null ? null : new URL(settings.operatorApi, folder);
  applyColours();
}

/** True in an element. Document, address and title then belong to the page around it. */
export function isEmbedded(): boolean {
  return root !== document.documentElement;
}

/** Sets the application's colours by script, since the page allows no styles in the document. */
function applyColours(): void {
  const { accent, accentDark = accent } = settings.colours;
  if (accent === undefined && accentDark === undefined) return;
  const colour = `light-dark(${accent ?? '#3451b2'}, ${accentDark ?? '#9db1ff'})`;
  root.style.setProperty('--accent', colour);
}
