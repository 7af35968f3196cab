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
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' };
/** Files of the library that the page runs as well. A change of one of them builds the page anew. */
const SHARED = [
  ...['chat-templates', 'projection', 'template'].map((name) => `lib/message/shapes/${name}.ts`),
  ...['lib/common/objects.ts', 'lib/errors/errors.ts', 'lib/errors/index.ts'],
  'lib/subscriber/model/origin.ts',
];
/** Limits in KB of gzip; CI ends with an error beyond them. */
const LIMITS = { first: 70, all: 120 };

/**
 * @typedef {object} PageFile
 * @property {string} name
 * @property {string} type
 * @property {boolean} isFirst
 * @property {string} gzip
 */

/** @returns {Promise<PageFile[]>} the files of the page, those of the first screen first */
async function buildFiles() {
  const result = await build({
    root: join(ROOT, 'page'),
    configFile: false,
    logLevel: 'warn',
    base: './',
    // Also where NODE_ENV is 'test': the tests get the files that users get.
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: false,
      cssCodeSplit: false,
      rolldownOptions: {
        input: join(ROOT, 'page/main.tsx'),
        // `element.js` imports from it.
        preserveEntrySignatures: 'allow-extension',
        output: {
          entryFileNames: '[name]-[hash].js',
          chunkFileNames: '[name]-[hash].js',
          assetFileNames: '[name]-[hash][extname]',
        },
      },
    },
  });
  const { output } = /** @type {import('vite').Rolldown.RolldownOutput} */ (
    Array.isArray(result) ? result[0] : result
  );
  checkShared(output.flatMap((one) => (one.type === 'chunk' ? one.moduleIds : [])));
  const first = new Set(
    output.flatMap((one) =>
      one.type === 'chunk' && one.isEntry ? [one.fileName, ...one.imports] : [],
    ),
  );
  return output
    .map((one) => ({
      name: one.fileName,
      type: TYPES[/** @type {keyof typeof TYPES} */ (one.fileName.split('.').at(-1))],
      isFirst: one.type === 'asset' || first.has(one.fileName),
      gzip: gzipSync(one.type === 'asset' ? one.source : one.code, { level: 9 }).toString('base64'),
    }))
    .toSorted((one, other) => Number(other.isFirst) - Number(one.isFirst));
}

/** @param {readonly string[]} modules the files that the page is made of */
function checkShared(modules) {
  const used = modules.map((one) => relative(ROOT, one)).filter((one) => one.startsWith('lib/'));
  const missing = used.filter((one) => !SHARED.includes(one));
  if (missing.length === 0) return;
  throw new Error(`Add to SHARED in tools/build-page.mjs: ${missing.join(', ')}`);
}

/** @param {readonly PageFile[]} files */
export function sizesOf(files) {
  const sum = (/** @type {readonly PageFile[]} */ some) =>
    some.reduce((total, { gzip }) => total + Buffer.byteLength(gzip, 'base64'), 0) / 1024;
  return { first: sum(files.filter(({ isFirst }) => isFirst)), all: sum(files) };
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
    `page: first screen ${sizes.first.toFixed(1)} KB, all ${sizes.all.toFixed(1)} KB of gzip`,
  );
  for (const part of /** @type {const} */ (['first', 'all'])) {
    if (sizes[part] <= LIMITS[part]) continue;
    console.error(`The page is larger than it may be: ${LIMITS[part]} KB of gzip (${part})`);
    process.exitCode = 1;
  }
  writeFileSync(
    join(ROOT, 'dist/page/page-bundle.js'),
    `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\nexports.PAGE_FILES = ${JSON.stringify(files)};\n`,
  );
}
