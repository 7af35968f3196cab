// Usage: node tools/build-page.mjs
//
// Builds `page/` for browsers and writes its files into the built package as one module, so that nothing is read from
// the disk at run time. It is a step of `npm run build`, after the compiler, which writes an empty list in its place.
// The tests get the same module by the plugin at the end.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' };
/** Files of the library that the page runs as well. A change of one of them builds the page anew. */
const SHARED = [
  ...['chat-templates', 'projection', 'template'].map((name) => `lib/message/shapes/${name}.ts`),
  ...['lib/common/objects.ts', 'lib/errors/errors.ts', 'lib/errors/index.ts'],
  ...['lib/event/event-patterns.ts', 'lib/subscriber/model/origin.ts'],
];
/** The languages that the texts of the page are written in. A visitor loads the texts of one. */
const LANGUAGES = ['en', 'de'];
/** Limits in KB of gzip; CI ends with an error beyond them. */
const LIMITS = { first: 62, visitor: 80 };

/**
 * @typedef {object} PageFile
 * @property {string} name
 * @property {string} type
 * @property {boolean} isFirst
 * @property {string | null} language
 * @property {string} gzip
 */

/** @returns {Promise<PageFile[]>} the files of the page, those of the first screen first */
async function buildFiles() {
  const chunks = await buildScripts();
  checkShared(chunks.flatMap(({ moduleIds }) => moduleIds));
  const scripts = chunks.map(({ fileName, code, isEntry, name }) => {
    const language = LANGUAGES.find((one) => one === name) ?? null;
    return { name: fileName, content: code, isFirst: isEntry, language };
  });
  const style = await buildStyle();
  return [{ ...style, isFirst: true, language: null }, ...scripts]
    .toSorted((one, other) => Number(other.isFirst) - Number(one.isFirst))
    .map(({ content, ...file }) => ({
      ...file,
      type: TYPES[/** @type {keyof typeof TYPES} */ (file.name.split('.').at(-1))],
      gzip: gzipSync(content, { level: 9 }).toString('base64'),
    }));
}

/** Builds the scripts: one that the page starts with, one for each language, and those that the page loads later. */
async function buildScripts() {
  const bundle = await rolldown({
    input: join(ROOT, 'page/main.tsx'),
    platform: 'browser',
    tsconfig: join(ROOT, 'page/tsconfig.json'),
    transform: { target: 'es2022', define: { 'process.env.NODE_ENV': '"production"' } },
    // `element.js` imports from it.
    preserveEntrySignatures: 'allow-extension',
  });
  const { output } = await bundle.generate({
    entryFileNames: '[name]-[hash].js',
    chunkFileNames: '[name]-[hash].js',
    minify: true,
    comments: false,
    // All that the first script imports is in it.
    codeSplitting: { groups: [{ name: 'main', tags: ['$initial'] }] },
  });
  return output.filter((one) => one.type === 'chunk');
}

/** Joins the styles. @returns {Promise<{ name: string, content: string | Uint8Array }>} */
async function buildStyle() {
  const result = await build({
    root: join(ROOT, 'page'),
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2022',
      rolldownOptions: {
        input: join(ROOT, 'page/style/index.css'),
        output: { assetFileNames: 'style-[hash][extname]' },
      },
    },
  });
  const { output } = /** @type {import('vite').Rolldown.RolldownOutput} */ (
    Array.isArray(result) ? result[0] : result
  );
  const style = output.find((one) => one.type === 'asset');
  if (style === undefined) throw new Error('page/style/index.css has made no file');
  return { name: style.fileName, content: style.source };
}

/** @param {readonly string[]} modules the files that the page is made of */
function checkShared(modules) {
  const used = modules.map((one) => relative(ROOT, one)).filter((one) => one.startsWith('lib/'));
  const missing = used.filter((one) => !SHARED.includes(one));
  if (missing.length === 0) return;
  throw new Error(`Add to SHARED in tools/build-page.mjs: ${missing.join(', ')}`);
}

/**
 * The KB of gzip that the first screen takes and that all of the page takes, in the language that takes the most.
 *
 * @param {readonly PageFile[]} files
 */
export function sizesOf(files) {
  const most = (/** @type {(file: PageFile) => boolean} */ isLoaded) =>
    Math.max(
      ...LANGUAGES.map((language) =>
        files
          .filter((one) => (one.language === null ? isLoaded(one) : one.language === language))
          .reduce((sum, { gzip }) => sum + Buffer.byteLength(gzip, 'base64') / 1024, 0),
      ),
    );
  return { first: most(({ isFirst }) => isFirst), visitor: most(() => true) };
}

/** Builds the page unless its sources are as they were. @returns {Promise<PageFile[]>} */
export async function pageFiles() {
  const hash = createHash('sha256');
  for (const file of sources()) hash.update(file).update(readFileSync(join(ROOT, file)));
  const cached = join(ROOT, '.cache/page', `${hash.digest('hex').slice(0, 16)}.json`);
  if (existsSync(cached)) return JSON.parse(readFileSync(cached, 'utf8'));
  const files = await buildFiles();
  mkdirSync(join(ROOT, '.cache/page'), { recursive: true });
  writeFileSync(cached, JSON.stringify(files));
  return files;
}

function sources() {
  const page = readdirSync(join(ROOT, 'page'), { recursive: true, withFileTypes: true });
  return [
    ...page
      .filter((one) => one.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(ROOT.length)),
    ...SHARED,
    'tools/build-page.mjs',
    'package-lock.json',
  ].toSorted();
}

/** A plugin of vitest that puts the built page in the place of the empty list in `lib`. */
export function pageBundle() {
  return {
    name: 'thorn-page-bundle',
    async load(/** @type {string} */ id) {
      if (!id.endsWith('/lib/page/page-bundle.ts')) return null;
      return `export const PAGE_FILES = ${JSON.stringify(await pageFiles())};`;
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = await pageFiles();
  const sizes = sizesOf(files);
  console.log(
    `page: first screen ${sizes.first.toFixed(1)} KB, a visitor of all screens ${sizes.visitor.toFixed(1)} KB of gzip`,
  );
  for (const part of /** @type {const} */ (['first', 'visitor'])) {
    if (sizes[part] <= LIMITS[part]) continue;
    console.error(`The page is larger than it may be: ${LIMITS[part]} KB of gzip (${part})`);
    process.exitCode = 1;
  }
  writeFileSync(
    join(ROOT, 'dist/page/page-bundle.js'),
    `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\nexports.PAGE_FILES = ${JSON.stringify(files)};\n`,
  );
}
