/**
 * Who may import whom in lib: every place is on a floor, and imports go to the floors below. Folders on the same floor
 * see each other's `index.ts` only. docs/architecture.md explains it.
 *
 * @type {readonly (readonly string[])[]}
 */
const FLOORS = [
  ['common', 'errors'],
  ['message', 'event'],
  ['subscriber', 'signing'],
  ['receiver', 'idempotency'],
  ['delivery'],
  ['dispatch'],
  ['capture', 'outbox', 'bullmq', 'microservices', 'api', 'migrations'],
  ['openapi', 'metrics', 'tracing', 'terminus'],
  ['thorn.module'],
  ['testing'],
  ['cli', 'index'],
];

/** Places that nothing but the top may import, although they are on a lower floor. */
const APART = new Set(['receiver']);
const TOP = FLOORS.findIndex((places) => places.includes('thorn.module'));

/**
 * @param {string} from path of the importing file, relative to lib, with `/`
 * @param {string} to path of the imported file, likewise
 * @returns {string | null} what is wrong with it
 */
export function judgeImport(from, to) {
  const [importer, imported] = [placeOf(from), placeOf(to)];
  if (importer === imported) return null;
  const [above, below] = [floorOf(importer), floorOf(imported)];
  if (above === -1) return `"${importer}" is on no floor: add it to tools/floors.mjs`;
  if (below === -1) return `"${imported}" is on no floor: add it to tools/floors.mjs`;
  if (below > above) return `"${importer}" may not import from "${imported}", a floor above it`;
  if (below === above && to !== `${imported}/index.ts`) {
    return `"${importer}" is on the same floor as "${imported}" and may import its index.ts only`;
  }
  if (APART.has(imported) && above < TOP) {
    return `"${importer}" may not import from "${imported}", which stands apart`;
  }
  return null;
}

/**
 * The folder; for files at the top `index` or `thorn.module`.
 *
 * @param {string} file
 */
function placeOf(file) {
  const [first = '', second] = file.split('/');
  if (second !== undefined) return first;
  return first.startsWith('thorn.module') ? 'thorn.module' : first.replace(/\.ts$/, '');
}

/** @param {string} place */
function floorOf(place) {
  return FLOORS.findIndex((places) => places.includes(place));
}
