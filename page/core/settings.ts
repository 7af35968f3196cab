import type { ShellSettings } from '../../lib/page/shell.js';

/** The values that the server wrote into the document. */
export const settings = JSON.parse(
  document.querySelector<HTMLMetaElement>('meta[name="thorn-page"]')!.content,
) as ShellSettings;

/** The folder of the page, with a slash at its end. This file is served one folder below it. */
const root = new URL(/* @vite-ignore */ '..', import.meta.url);

export const sessionUrl = new URL('session', root);
export const apiUrl = new URL(settings.api, root);
export const operatorUrl =
  settings.operatorApi === null ? null : new URL(settings.operatorApi, root);

/** Sets the application's colours by script, since the page allows no styles in the document. */
export function applyColours(): void {
  const { accent, accentDark = accent } = settings.colours;
  if (accent === undefined && accentDark === undefined) return;
  const { style } = document.documentElement;
  style.setProperty('--accent', `light-dark(${accent ?? '#3451b2'}, ${accentDark ?? '#9db1ff'})`);
}
