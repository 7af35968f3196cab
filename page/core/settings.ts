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
  applyBrand();
}

/** True in an element. Document, address and title then belong to the page around it. */
export function isEmbedded(): boolean {
  return root !== document.documentElement;
}

/** Sets the accent and the font of the application by script, since the page allows no styles in the document. */
function applyBrand(): void {
  const { accent, font } = settings.brand;
  if (accent !== undefined) {
    root.style.setProperty('--accent', `light-dark(${accent.light}, ${accent.dark})`);
  }
  if (font !== undefined) root.style.setProperty('--font', font);
}
