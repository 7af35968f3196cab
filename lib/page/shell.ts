import type { OfferedBodies } from '../message/index.js';
import type { PageFile } from './page-bundle.js';
import type { PageSettings } from './page-options.js';

/** Values that the page reads when it starts. */
export interface ShellSettings extends Pick<
  PageSettings,
  'brand' | 'links' | 'documents' | 'signIn' | 'language'
> {
  /** The URL of the REST API, relative to the page. */
  readonly api: string;
  /** The URL of the operator API, relative to the page; null without one. */
  readonly operatorApi: string | null;
  /** Whether the operator API shows what comes from bodies. */
  readonly operatorBodies: boolean;
  /** The fields about bodies that the application offers, for the form of an endpoint. */
  readonly bodies: OfferedBodies;
  /** Origins whose pages may send a code or an authorization to this page, besides the origin of the page itself. */
  readonly origins: readonly string[];
}

/**
 * Writes the document of the page.
 *
 * @param language the language that the page will probably show, whose texts then load together with its script
 * @param base the URL of the folder of assets, relative to the document
 */
export function shellOf(
  settings: ShellSettings,
  files: readonly PageFile[],
  base: string,
  language: PageFile['language'],
): string {
  const { script, style } = entryOf(files);
  const texts = language === null ? undefined : files.find((one) => one.language === language);
  return `<!doctype html>
<html lang="${language ?? 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="thorn-page" content="${escapeHtml(JSON.stringify(settings))}">
<title>${escapeHtml(settings.brand.name)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}${style}">
${texts === undefined ? '' : `<link rel="modulepreload" href="${base}${texts.name}">\n`}<script type="module" src="${base}${script}"></script>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript. <span lang="de">Diese Seite braucht JavaScript.</span></noscript>
</body>
</html>
`;
}

/** Writes the module that defines `<thorn-portal>`. It is served beside the folder of assets. */
export function elementOf(settings: ShellSettings, files: readonly PageFile[]): string {
  const { script, style } = entryOf(files);
  return `import { defineElement } from './assets/${script}';
defineElement(${JSON.stringify(settings)}, new URL('./assets/${style}', import.meta.url).href);
`;
}

function entryOf(files: readonly PageFile[]): { readonly script: string; readonly style: string } {
  const [script = '', style = ''] = ['.js', '.css'].map(
    (end) => files.find(({ name, isFirst }) => isFirst && name.endsWith(end))?.name,
  );
  return { script, style };
}

/** The first language of a header `Accept-Language` that the page has; null for none. */
export function languageOf(accepted: string, files: readonly PageFile[]): PageFile['language'] {
  const wanted = accepted.split(',').map((one) => one.trim().slice(0, 2).toLowerCase());
  const known = wanted.map((one) => files.find(({ language }) => language === one)?.language);
  return known.find((one) => one !== undefined) ?? null;
}

/**
 * The headers of the document. They allow only the code and styles of the page itself, and frames only on the origins
 * that an option names.
 */
export function shellHeaders({
  frameAncestors,
}: Pick<PageSettings, 'frameAncestors'>): Readonly<Record<string, string>> {
  const ancestors = frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' ');
  return {
    ...SAFE_HEADERS,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
      `base-uri 'none'; form-action 'none'; frame-ancestors ${ancestors}`,
    ...(frameAncestors.length === 0 && { 'X-Frame-Options': 'DENY' }),
  };
}

/** Headers of every file of the page. */
export const SAFE_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const;

/** Escapes a text for HTML, in attributes as well. */
function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (sign) => names[sign]!);
}

/** The relative path from one path of the application to another, both as the platform has registered them. */
export function relativePath(from: string, to: string): string {
  const [start, end] = [from, to].map((path) => path.split('/').filter((part) => part !== ''));
  let shared = 0;
  while (shared < start!.length && start![shared] === end![shared]) shared += 1;
  const up = '../'.repeat(start!.length - shared);
  return `${up}${end!.slice(shared).join('/')}/`;
}
