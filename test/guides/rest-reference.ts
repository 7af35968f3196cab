type Schema = Readonly<Record<string, unknown>>;

/** As much of an OpenAPI document as is shown. */
export interface ShownDocument {
  readonly paths: Readonly<Record<string, object>>;
  readonly components?: { readonly schemas?: object };
}

interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Page {
  readonly title: string;
  readonly about: string;
  readonly example: string;
  readonly tag: string;
}

const PREFIX = '#/components/schemas/Thorn';
const OWNERS = 'rest-bodies.md';
const OPERATORS = 'rest-operator-bodies.md';
const OWNERS_TAG = 'Webhooks';
const NOTE =
  '<!-- Generated from the OpenAPI document that `describeThornApi()` makes, by `npm run docs:options`. -->';
const ERRORS =
  'Errors are [problems](../rest/problems.md). Any route may answer 400, 401 and 403. One with an id in its path may answer 404 and 414, one with a body 413 and 415, one with `Idempotency-Key` 409 and 422, one with `If-Match` 412. Without stored deliveries the answer is 501. Routes name other errors.';
/** A guide lists more. */
const MOST_VALUES = 12;
/** Fewer fields than these are listed again. */
const FEWEST_SHARED = 4;

/** The routes of one tag, and the parameters that they take. */
export function routesPage(document: ShownDocument, { title, about, example, tag }: Page): string {
  const schemas = schemasOf(document);
  const every = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Readonly<Record<string, Operation>>).map(([method, operation]) => ({
      path,
      method,
      operation,
    })),
  );
  const routes = every.filter(({ operation }) => operation.tags[0] === tag);
  const sections = routes.map(({ path, method, operation }) => {
    const { summary, description, parameters, requestBody, responses } = operation;
    const successes = Object.entries(responses)
      .filter(([code]) => code < '400')
      .map(([code, { content }]) => `${code}${content ? `, ${linked(refIn(content)!)}` : ''}`);
    const named = (place: string) =>
      parameters.filter((one) => one.in === place).map(({ name }) => `\`${name}\``);
    const body = requestBody && refIn(requestBody.content);
    const facts = [
      fact('Query', named('query')),
      fact('Headers', named('header')),
      fact('Body', body === undefined ? [] : [linked(body)]),
      `Answers ${successes.join('; or ')}.`,
      fact('Errors', errorsOf(path, operation)),
    ];
    const text = description === undefined ? '' : ` ${description}`;
    return `### ${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}\n\n${summary}.${text}\n${facts.join(' ')}`;
  });
  const ofOwners = tag === OWNERS_TAG ? new Map() : parametersOf(OWNERS_TAG);
  const parameters = [...parametersOf(tag)].flatMap(([name, row]) =>
    row.join() === ofOwners.get(name)?.join() ? [] : [row],
  );
  return [
    `# ${title}`,
    about,
    `\`\`\`sh\n${example}\n\`\`\``,
    NOTE,
    ERRORS,
    '## Routes',
    ...sections,
    '## Parameters',
    tag === OWNERS_TAG ? '' : 'What is not listed is as in the [REST API](rest.md#parameters).',
    tableOf(['Name', 'Type', 'Meaning'], parameters),
  ].join('\n\n');

  function parametersOf(wanted: string): ReadonlyMap<string, readonly string[]> {
    const all = every
      .filter(({ operation }) => operation.tags[0] === wanted)
      .flatMap(({ operation }) => operation.parameters)
      .filter((one) => one.in !== 'path');
    return new Map(
      all.map(({ name, schema, description }) => [
        name,
        [`\`${name}\``, typeOf(schema), meaningOf({ description, ...schema })],
      ]),
    );
  }

  function linked(name: string): string {
    const fields = schemas.get(name);
    return fields === undefined || Object.keys(propertiesOf(fields)).length === 0
      ? '`{}`'
      : `[${name}](${ownersSchemas(document).has(name) ? OWNERS : OPERATORS}#${name.toLowerCase()})`;
  }
}

/** The bodies of requests and answers, of owners' routes or those that operators' alone have. */
export function bodiesPage(document: ShownDocument, { title, about, example, tag }: Page): string {
  const owners = ownersSchemas(document);
  const all = [...schemasOf(document)];
  const schemas = new Map(all.filter(([name]) => owners.has(name) === (tag === OWNERS_TAG)));
  const shown: string[] = [];
  const known = new Map(tag === OWNERS_TAG ? [] : all.filter(([name]) => owners.has(name)));
  const sections = [...schemas].flatMap(([name, schema]) => {
    const properties = Object.entries(propertiesOf(schema));
    if (properties.length === 0) return [];
    if (properties.map(([field]) => field).join() === 'items,next') {
      const items = typeOf(propertiesOf(schema)['items']!);
      return [
        `## ${name}\n\nA page: \`items\` is a ${items}, \`next\` the \`after\` of the next page, null at the end.`,
      ];
    }
    const isAs = (other: Schema) => (field: string) =>
      JSON.stringify(propertiesOf(schema)[field]) === JSON.stringify(propertiesOf(other)[field]);
    const names = properties.map(([field]) => field);
    const sharedWith = (other: Schema) => names.filter(isAs(other));
    const before = [...known, ...shown.map((one) => [one, schemas.get(one)!] as const)];
    const whole = before.find(([, other]) => names.every(isAs(other)));
    if (whole !== undefined && names.length > 3) {
      const isSame = names.length === sizeOf(whole[1]);
      const fields = names.map((field) => `\`${field}\``).join(', ');
      return [
        isSame
          ? `## ${name}\n\nThe fields of ${linked(whole[0])}.`
          : `## ${name}\n\nOf the fields of ${linked(whole[0])}: ${fields}.`,
      ];
    }
    const [base] = before
      .map(([one, other]) => ({ one, size: sizeOf(other), shared: sharedWith(other) }))
      .filter(({ size, shared }) => shared.length >= Math.min(size, FEWEST_SHARED) && size > 2)
      .toSorted((one, other) => other.shared.length - one.shared.length);
    shown.push(name);
    const required = (schema['required'] ?? []) as readonly string[];
    const isRequest = schema['additionalProperties'] === false;
    const own = properties.filter(([field]) => base?.shared.includes(field) !== true);
    const rows = own.map(([field, value]) => {
      const need = isRequest && required.includes(field) ? 'Required. ' : '';
      return [`\`${field}\``, typeOf(value), `${need}${meaningOf(value)}`];
    });
    const first = base === undefined ? '' : sharedText(base);
    const listed = `${rows.map(([field, type, meaning]) => `${field}, ${type}${meaning ? ` (${meaning})` : ''}`).join('; ')}.`;
    const isShort = rows.length <= 3 || listed.length <= 300;
    const table = isShort ? listed : tableOf(['Field', 'Type', 'Meaning'], rows);
    const join = base === undefined || base.shared.length === base.size ? ', and' : '; besides';
    const parts =
      rows.length === 0
        ? [`${first}.`]
        : [first && `${first}${join}${isShort ? ` ${table}` : ':'}`, isShort && first ? '' : table];
    return [[`## ${name}`, ...parts.filter(Boolean)].join('\n\n')];
  });
  return [
    `# ${title}`,
    about,
    `\`\`\`json\n${example}\n\`\`\``,
    NOTE,
    'Answers have every field, unless it says that it may be absent. In requests every field may be left out, unless it is required.',
    ...sections,
  ].join('\n\n');

  function linked(name: string): string {
    const page = tag !== OWNERS_TAG && owners.has(name) ? OWNERS : '';
    return `[${name}](${page}#${name.toLowerCase()})`;
  }

  function sharedText(base: { one: string; size: number; shared: readonly string[] }): string {
    if (base.shared.length === base.size) return `The fields of ${linked(base.one)}`;
    return `As in ${linked(base.one)}: ${base.shared.map((field) => `\`${field}\``).join(', ')}`;
  }
}

function sizeOf(schema: Schema): number {
  return Object.keys(propertiesOf(schema)).length;
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Those that the page does not say of all routes of the kind. */
function errorsOf(path: string, { parameters, requestBody, responses }: Operation): string[] {
  const takes = (name: string) => parameters.some((one) => one.name === name);
  const implied = new Set([
    ...['400', '401', '403', '501'],
    ...(path.includes('{') ? ['404', '414'] : []),
    ...(requestBody === undefined ? [] : ['413', '415']),
    ...(takes('Idempotency-Key') ? ['409', '422'] : []),
    ...(takes('If-Match') ? ['412'] : []),
  ]);
  return Object.keys(responses).filter((code) => code >= '400' && !implied.has(code));
}

function fact(what: string, parts: readonly string[]): string {
  return parts.length === 0 ? '' : `${what}: ${parts.join(', ')}.`;
}

/** Those that the routes of owners and receivers use. */
function ownersSchemas(document: ShownDocument): ReadonlySet<string> {
  const schemas = schemasOf(document);
  const routes = Object.values(document.paths).flatMap((item) =>
    Object.values(item as Readonly<Record<string, Operation>>),
  );
  const found = new Set<string>();
  const add = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/schemas\/Thorn(\w+)"/g)) {
      if (found.has(name!)) continue;
      found.add(name!);
      add(schemas.get(name!));
    }
  };
  add(routes.filter(({ tags }) => tags[0] === OWNERS_TAG));
  return found;
}

function schemasOf({ components }: ShownDocument): ReadonlyMap<string, Schema> {
  const all = Object.entries((components?.schemas ?? {}) as Readonly<Record<string, Schema>>);
  return new Map(all.map(([name, schema]) => [name.replace(/^Thorn/, ''), schema]));
}

function propertiesOf(schema: Schema): Readonly<Record<string, Schema>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
}

function refIn(content: Content): string | undefined {
  const [media] = Object.values(content);
  const reference = media?.schema['$ref'];
  return typeof reference === 'string' ? reference.replace(PREFIX, '') : undefined;
}

/** A schema in a few words. */
function typeOf(schema: Schema): string {
  const {
    $ref,
    anyOf,
    oneOf,
    enum: values,
    type,
    items,
  } = schema as {
    readonly $ref?: string;
    readonly anyOf?: readonly Schema[];
    readonly oneOf?: readonly Schema[];
    readonly enum?: readonly string[];
    readonly type?: string;
    readonly items?: Schema;
  };
  if ($ref !== undefined) {
    const name = $ref.replace(PREFIX, '');
    return `[${name}](#${name.toLowerCase()})`;
  }
  const several = anyOf ?? oneOf;
  if (several !== undefined) return several.map(typeOf).join(' or ');
  if (values !== undefined && values.length > MOST_VALUES) return 'text';
  if (values !== undefined) return values.map((one) => `\`${one}\``).join(', ');
  if (items !== undefined) return `list of ${typeOf(items)}`;
  const fields = Object.entries(propertiesOf(schema));
  if (fields.length > 0) return `\`{ ${fields.map(([name]) => name).join(', ')} }\``;
  if (type === 'string' && schema['format'] === 'date-time') return 'time';
  const names: Readonly<Record<string, string>> = { string: 'text', integer: 'whole number' };
  return type === undefined ? 'any' : (names[type] ?? type);
}

/** Description, bounds, default and example. */
function meaningOf(schema: Schema): string {
  const several = (schema['anyOf'] ?? schema['oneOf'] ?? []) as readonly Schema[];
  const [inner = {}] = several;
  const value = (name: string) => schema[name] ?? inner[name];
  const bounds: readonly (readonly [name: string, words: (bound: string) => string])[] = [
    ['maxLength', (bound) => `up to ${bound} characters`],
    ['maxItems', (bound) => `up to ${bound}`],
    ['maxProperties', (bound) => `up to ${bound}`],
    ['maximum', (bound) => `${String(value('minimum') ?? 0)} to ${bound}`],
    ['default', (bound) => `default \`${bound}\``],
  ];
  const limits = bounds.flatMap(([name, words]) => {
    const bound = value(name);
    return bound === undefined
      ? []
      : [words(typeof bound === 'number' ? bound.toLocaleString('en-GB') : String(bound))];
  });
  const description = value('description') as string | undefined;
  return [description, limits.join(', ')].filter(Boolean).join('; ').replaceAll('|', '\\|');
}
