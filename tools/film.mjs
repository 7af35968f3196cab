// Usage: node tools/film.mjs [--check FILE]
//
// Plays the demo and draws some of its scenes as docs/images/demo.svg, each line at the time at which the demo printed it.
// Long waits are shortened. With `--check` it draws nothing: it compares the lines of that picture with what a run of the
// demo has printed to FILE. Run `npm run build:sample` first.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const FILM = 'docs/images/demo.svg';
const COMMAND = '$ npm run demo';
/** How the titles of what is shown begin. */
const SCENES = [
  'The blog listens',
  'Its page for webhooks',
  'Alice subscribes a URL',
  'Alice creates an article',
  '… publishes it',
  'An outage',
  '… both start again',
  'The demo is complete',
];
const COLUMNS = 100;
const [CELL, LINE, PAD] = [7.8, 19, 16];
/** Seconds: the longest wait that is shown, the shortest before a title and another line, and the last picture. */
const [LONGEST, BEFORE_TITLE, BEFORE_LINE, HOLD] = [1.5, 0.9, 0.15, 5];

/** @typedef {{ text: string, at: number }} Line at: seconds since the start */

/**
 * What is shown of an output: no logs, and nothing that is another at each run.
 *
 * @param {readonly Line[]} output
 * @returns {Line[]}
 */
function shown(output) {
  /** @type {Line[]} */
  const lines = [];
  let isShown = false;
  for (const { text, at } of output) {
    if (text === '' || /\[Nest\]/.test(text)) continue;
    if (!text.startsWith('  ')) isShown = SCENES.some((scene) => text.startsWith(scene));
    if (isShown) lines.push({ text: shortened(steady(text)), at });
  }
  return lines;
}

/** @param {string} text */
function steady(text) {
  return text
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
    .replaceAll(/\b(sub|msg)_[\w-]+/g, '$1_…')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '…');
}

/** @param {string} text */
function shortened(text) {
  if (text.length <= COLUMNS) return text;
  const end = text.endsWith('}') ? 46 : 0;
  return `${text.slice(0, COLUMNS - 1 - end)}…${end > 0 ? text.slice(-end) : ''}`;
}

/**
 * The lines that an output has and a film has not, and the other way round. Within a scene they may come in any order.
 *
 * @param {string} film
 * @param {string} output
 */
export function differences(film, output) {
  const sorted = (/** @type {readonly string[]} */ lines) => {
    let scene = '';
    return lines
      .map((text) => {
        if (!text.startsWith('  ')) scene = text;
        return text === scene ? text : `${scene}:${text}`;
      })
      .toSorted();
  };
  const filmed = sorted(
    [...film.matchAll(/<text[^>]*>([^<]*)<\/text>/g)]
      .map(([, text = '']) => unescaped(text))
      .filter((text) => text !== COMMAND),
  );
  const printed = sorted(
    shown(output.split('\n').map((text) => ({ text: text.trimEnd(), at: 0 }))).map(
      ({ text }) => text,
    ),
  );
  if (filmed.join('\n') === printed.join('\n')) return [];
  return [
    ...printed.filter((line) => !filmed.includes(line)).map((line) => `not in the film: ${line}`),
    ...filmed.filter((line) => !printed.includes(line)).map((line) => `in the film only: ${line}`),
    `${filmed.length} lines are in the film, and ${printed.length} were printed`,
  ];
}

/**
 * @param {readonly Line[]} output
 * @returns {string} a picture that moves
 */
export function filmOf(output) {
  let [clock, before, row] = [0.6, 0, 0];
  const rows = [{ text: COMMAND, row, at: 0 }];
  for (const { text, at } of shown(output)) {
    const isTitle = !text.startsWith('  ');
    const least = isTitle ? BEFORE_TITLE : BEFORE_LINE;
    clock += Math.max(least, Math.min(at - before, isTitle ? least : LONGEST));
    before = at;
    row += isTitle && row > 1 ? 2 : 1;
    rows.push({ text, row, at: clock });
  }
  const total = clock + HOLD;
  const [width, height] = [COLUMNS * CELL + 2 * PAD, (row + 1) * LINE + 2 * PAD];
  const percent = (/** @type {number} */ at) => ((100 * at) / total).toFixed(2);
  const frames = rows.map(
    ({ at }, n) => `@keyframes l${n}{0%,${percent(at)}%{opacity:0}${percent(at + 0.05)}%{opacity:1}}
.l${n}{animation-name:l${n}}`,
  );
  const texts = rows.map(
    ({ text, row, at }, n) =>
      `<text class="${at === 0 ? '' : `l${n} `}${kindOf(text)}" x="${PAD}" y="${PAD + row * LINE + 14}">${escaped(text)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="What npm run demo prints">
<style>
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#c9d1d9}
.title{fill:#fff;font-weight:600}.good{fill:#7ee2a0}.bad{fill:#ffa198;font-weight:600}
@media (prefers-reduced-motion:no-preference){
text{animation:${total.toFixed(1)}s linear infinite}
${frames.slice(1).join('\n')}
}
</style>
<rect width="${width}" height="${height}" rx="8" fill="#161b22" stroke="#30363d"/>
${texts.join('\n')}
</svg>
`;
}

/** @param {string} text */
function kindOf(text) {
  if (/-9/.test(text)) return 'bad';
  if (/^ {2}20\d|^The demo is complete/.test(text)) return 'good';
  return text.startsWith('  ') ? '' : 'title';
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** @param {string} text */
function unescaped(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** @returns {Promise<Line[]>} */
async function recorded() {
  const began = performance.now();
  const demo = spawn(process.execPath, ['.cache/sample/sample/blog/demo.js'], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = once(demo, 'exit');
  /** @type {Line[]} */
  const lines = [];
  for await (const text of createInterface({ input: demo.stdout })) {
    lines.push({ text, at: (performance.now() - began) / 1000 });
  }
  const [code] = await end;
  if (code !== 0) throw new Error('the demo failed: run `npm run demo`');
  return lines;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [option, file = ''] = process.argv.slice(2);
  if (option === '--check') {
    const faults = differences(readFileSync(FILM, 'utf8'), readFileSync(file, 'utf8'));
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) console.error(`${FILM} is out of date: run \`npm run film\``);
    process.exitCode = faults.length > 0 ? 1 : 0;
  } else {
    writeFileSync(FILM, filmOf(await recorded()));
  }
}
