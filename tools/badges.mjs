// Usage: node tools/badges.mjs
//
// Draws the badges of the README from package.json, into docs/badges: nothing has to be asked for them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const FOLDER = 'docs/badges';
const PAD = 7;

/**
 * The badges by name.
 *
 * @param {{ engines: { node: string }, license: string, peerDependencies: Record<string, string> }} manifest
 * @returns {Readonly<Record<string, string>>}
 */
export function badgesOf({ engines, license, peerDependencies }) {
  return {
    node: badge('Node.js', shortRange(engines.node)),
    nestjs: badge('NestJS', shortRange(peerDependencies['@nestjs/core'])),
    typeorm: badge('TypeORM', shortRange(peerDependencies['typeorm'])),
    licence: badge('licence', license),
  };
}

/**
 * A range of versions as one says it: `^20.19 || >=24.11` is "20.19 | 24.11+".
 *
 * @param {string | undefined} range
 */
function shortRange(range = '') {
  return range
    .replaceAll(/>=([\d.]+)/g, '$1+')
    .replaceAll('^', '')
    .replaceAll(/(?:\.0)+(?= |$)/g, '')
    .replaceAll('||', '|');
}

/**
 * @param {string} label
 * @param {string} value
 */
function badge(label, value) {
  const [left, right] = [widthOf(label), widthOf(value)];
  const width = left + right;
  const text = `fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" role="img" aria-label="${label}: ${value}">
  <title>${label}: ${value}</title>
  <rect width="${width}" height="20" rx="3" fill="#3f3f46"/>
  <path d="M${left} 0h${right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-${right - 3}z" fill="#a81b45"/>
  <g ${text}>
    <text x="${left / 2}" y="14" textLength="${left - 2 * PAD}">${label}</text>
    <text x="${left + right / 2}" y="14" textLength="${right - 2 * PAD}">${value}</text>
  </g>
</svg>
`;
}

/**
 * About what Verdana takes at 11 pixels; `textLength` makes it exact.
 *
 * @param {string} text
 */
function widthOf(text) {
  return Math.round(text.length * 6.7) + 2 * PAD;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  mkdirSync(FOLDER, { recursive: true });
  const badges = badgesOf(JSON.parse(readFileSync('package.json', 'utf8')));
  for (const [name, svg] of Object.entries(badges)) writeFileSync(`${FOLDER}/${name}.svg`, svg);
}
