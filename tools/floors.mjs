/**
 * Who may import whom in lib: every place is on a floor, and imports go to the floors below. Folders on the same floor
 * see each other's `index.ts` only. docs/architecture.md explains it.
 *
 * @type {readonly (readonly string[])[]}
 */
const FLOORS = [
  ['common', 'errors'],
  ['message', 'event', 'database'],
  ['subscriber', 'signing'],
  ['receiver', 'idempotency', 'portal', 'openapi'],
  ['delivery'],
  ['dispatch'],
  ['capture', 'outbox', 'bullmq', 'microservices', 'api'],
  ['typeorm'],
  ['metrics', 'tracing', 'terminus', 'extending', 'page', 'mcp', 'sql'],
  ['module'],
  ['thorn.module'],
  ['testing'],
  ['cli', 'schematics', 'index'],
];

/**
 * Inside a folder, from the ground up: a subfolder imports from those before it, the folder's own files (`''`)
 * stand where they are listed. Subfolders in one list share a floor, and import from each other. Its `index.ts` is the
 * door, and imports from all.
 *
 * @type {Readonly<Record<string, readonly (string | readonly string[])[]>>}
 */
const INNER_FLOORS = {
  database: ['', 'schema', 'triggers'],
  // A shape makes a body of a message, and the formats of messages have shapes.
  message: [['shapes', '']],
  event: ['conditions', '', 'schemas'],
  cli: ['commands', 'documents', ''],
  outbox: [
    '',
    'tables',
    'retention',
    // A delivery goes round in these, until it ends.
    ['store', 'fan-out', 'wait', 'attempt', 'record', 'retry'],
    'log',
    'relay',
    'stage',
    'changes',
    'strategy',
    'management',
  ],
  api: [
    'options',
    'problems',
    'platform',
    'http',
    'catalogue',
    'subscribers',
    'deliveries',
    'history',
    'self-service',
    'operator',
    'openapi',
    '',
  ],
  capture: ['table', 'plan', 'changes', 'messages', 'decorators', 'tables', ''],
  typeorm: [
    '',
    'schema',
    'rows',
    'sqlite',
    'entities',
    'connection',
    'criteria',
    'hooks',
    'triggers',
    'sources',
  ],
  // An answer becomes an attempt, and errors of requests have the codes of attempts.
  delivery: ['recipient-policy', ['attempt', 'http'], ''],
  dispatch: ['rows', 'recipients', 'strategies', ''],
  receiver: ['schemes', 'processing', 'routes', ''],
  // The fields of a subscriber check patterns and filters, and the index of patterns holds subscribers.
  subscriber: [['model', 'matching'], 'service', 'storage', ''],
  module: ['options', 'providers', ''],
  sql: ['databases', ''],
  testing: ['', 'conformance', 'conformance/subscriber-repository'],
};

/**
 * Who may import `typeorm`, be it for its types alone: published types hold where TypeORM is not installed. Applications
 * without TypeORM load nothing of this folder: `module/load-typeorm.ts` loads it. The other file asks which version is installed.
 */
const KNOWS_TYPEORM = /^typeorm\/|^common\/supported-versions\.ts$/;

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
  if (importer === imported) return judgeInside(importer, from, to);
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
 * @param {string} from path of the importing file, relative to lib, with `/`
 * @param {string | null | undefined} name of a package that it imports
 * @returns {string | null} what is wrong with it
 */
export function judgePackage(from, name) {
  if (name !== 'typeorm' || KNOWS_TYPEORM.test(from)) return null;
  return 'names "typeorm", which only lib/typeorm knows: use SqlClient of lib/database';
}

/**
 * @param {string} place
 * @param {string} from
 * @param {string} to
 * @returns {string | null}
 */
function judgeInside(place, from, to) {
  if (from === `${place}/index.ts`) return null;
  const rooms = INNER_FLOORS[place] ?? [''];
  const [importer, imported] = [roomOf(from), roomOf(to)];
  if (importer === imported) return null;
  const floor = (/** @type {string} */ room) =>
    rooms.findIndex((one) => [one].flat().includes(room));
  const [above, below] = [floor(importer), floor(imported)];
  for (const [room, at] of /** @type {const} */ ([
    [importer, above],
    [imported, below],
  ])) {
    if (at === -1) return `"${place}/${room}" is on no inner floor: add it to tools/floors.mjs`;
  }
  return below <= above
    ? null
    : `"${place}/${importer}" may not import from "${place}/${imported}", a floor above it`;
}

/**
 * @param {readonly string[]} files paths relative to lib, with `/`, specs left out
 * @returns {string[]} each `index.ts` below the top folders
 */
export function judgeFolders(files) {
  const inner = files.filter((file) => /^[^/]+\/.+\/index\.ts$/.test(file));
  return inner.map(
    (file) => `lib/${file} is an index below a top folder: import the files themselves`,
  );
}

/** @param {string} file */
function roomOf(file) {
  return file.split('/').slice(1, -1).join('/');
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
