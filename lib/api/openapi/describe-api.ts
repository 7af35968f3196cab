import { STATUS_CODES } from 'node:http';
import { type ApiOperation, OWNER_OPERATIONS } from './operations.js';
import { OPERATOR_OPERATIONS } from './operator-operations.js';
import { operatorSchemas } from './operator-schemas.js';
import { apiSchemas, type Schema, schemaName, schemaRef } from './schemas.js';

/** As much of a document of `@nestjs/swagger` as is looked at. */
export interface OpenApiDocument {
  readonly openapi: string;
  paths: Record<string, object>;
  components?: object;
}

interface Operation {
  readonly operationId?: string;
}

/** Every route by controller and method. */
export const API_OPERATIONS: Readonly<Record<string, ApiOperation>> = {
  ...OWNER_OPERATIONS,
  ...OPERATOR_OPERATIONS,
};

/** How receivers are known, among the document's security schemes. */
const RECEIVER = 'ThornReceiver';

/** Controllers that are not for owners. */
const OPERATORS: ReadonlySet<string> = new Set(['Operator', 'Maintenance']);

const METHODS = ['get', 'post', 'patch', 'put', 'delete'] as const;
const OURS = /^Thorn(\w+)Controller_(\w+?)(?:\[(\d)\])?$/;

const PARAMETERS: Readonly<Record<string, Schema>> = {
  limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  after: { type: 'string', minLength: 1, maxLength: 64 },
  status: { type: 'string', enum: ['pending', 'succeeded', 'failed'] },
  event: { type: 'string', minLength: 1, maxLength: 256 },
  messageId: { type: 'string', minLength: 1, maxLength: 64 },
  since: { type: 'string', format: 'date-time' },
  until: { type: 'string', format: 'date-time' },
  owner: { type: 'string', maxLength: 255, description: 'Default: anybody' },
  subscriberId: { type: 'string', maxLength: 64, description: 'Default: any' },
  days: { type: 'integer', minimum: 1, maximum: 90, default: 30 },
};

/**
 * Adds what the REST API takes and answers to a document that `@nestjs/swagger` has made: schemas of bodies and answers,
 * query parameters, headers and statuses. Routes are recognised by their `operationId`, so that an `operationIdFactory`
 * of one's own must leave those of the controllers named `Thorn…Controller` as they are.
 *
 * @returns another document; the given one stays as it is
 * @example
 * ```ts
 * const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
 * SwaggerModule.setup('docs', app, describeThornApi(document));
 * ```
 */
export function describeThornApi<Document extends OpenApiDocument>(document: Document): Document {
  const isNew = !document.openapi.startsWith('3.0');
  const nullable = (schema: Schema): Schema =>
    isNew ? { anyOf: [schema, { type: 'null' }] } : { ...schema, nullable: true };
  const paths: Record<string, object> = {};
  for (const [path, item] of Object.entries(document.paths)) {
    const described = describedItem(path, item as Readonly<Record<string, Operation>>);
    if (described !== null) paths[path] = described;
  }
  const {
    schemas = {},
    securitySchemes = {},
    ...components
  } = (document.components ?? {}) as { schemas?: object; securitySchemes?: object };
  const ofOwners = apiSchemas(nullable);
  const all = { ...ofOwners, ...operatorSchemas(nullable, ofOwners['Subscriber']!) };
  const own = Object.entries(all).map(([name, schema]) => [schemaName(name), schema]);
  return {
    ...document,
    paths,
    components: {
      ...components,
      schemas: { ...schemas, ...Object.fromEntries(own) },
      securitySchemes: { ...securitySchemes, ...receiverScheme(paths) },
    },
  };
}

/** What tells receivers from others, where there are routes for them. */
function receiverScheme(paths: Readonly<Record<string, object>>): object {
  if (!JSON.stringify(paths).includes(`"${RECEIVER}"`)) return {};
  const description = "One of the subscription's live secrets";
  return { [RECEIVER]: { type: 'http', scheme: 'bearer', description } };
}

/** @returns null for what is left out: the same routes once more, with a slash at the end */
function describedItem(path: string, item: Readonly<Record<string, Operation>>): object | null {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const entries = Object.entries(item).flatMap(([method, operation]) => {
    const [, controller, handler, index = '0'] = OURS.exec(operation.operationId ?? '') ?? [];
    const known = API_OPERATIONS[`${controller}.${handler}`];
    if (known === undefined || !METHODS.some((name) => name === method)) {
      return [[method, operation] as const];
    }
    const operationId = `thorn${controller}${handler![0]!.toUpperCase()}${handler!.slice(1)}`;
    return index === '0'
      ? [
          [
            method,
            {
              ...operation,
              operationId,
              ...described(method, names, known),
              tags: [OPERATORS.has(controller!) ? 'Webhook operators' : 'Webhooks'],
            },
          ] as const,
        ]
      : [];
  });
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

function headersOf(method: string, known: ApiOperation): readonly object[] {
  const names = [
    ...(heedsIfMatch(known) ? ['If-Match'] : []),
    ...(isRepeatable(method, known) ? ['Idempotency-Key'] : []),
    ...(known.isReceivers === true ? ['Hook-Subscription'] : []),
  ];
  return names.map((name) => ({
    name,
    in: 'header',
    required: name === 'Hook-Subscription',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  }));
}

function heedsIfMatch({ tag }: ApiOperation): boolean {
  return tag === 'checked' || tag === 'compared';
}

function isRepeatable(method: string, known: ApiOperation): boolean {
  return method === 'post' && known.isRepeatable !== false;
}

function described(method: string, names: readonly string[], known: ApiOperation): object {
  const path = names.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const query = (known.query ?? []).map((name) => ({
    name,
    in: 'query',
    required: false,
    schema: PARAMETERS[name],
  }));
  return {
    summary: known.summary,
    parameters: [...path, ...query, ...headersOf(method, known)],
    ...(known.body === undefined
      ? {}
      : { requestBody: { required: true, content: json(known.body) } }),
    ...(known.isReceivers === true ? { security: [{ [RECEIVER]: [] }] } : {}),
    responses: responsesOf(method, known, path.length > 0),
  };
}

function responsesOf(method: string, known: ApiOperation, hasId: boolean): object {
  const [status, schema] = known.answer;
  const refusals = new Set([
    ...(known.isGuarded === false ? [] : [401, 403]),
    // 400 and 414 are the platform's: for a wrong percent-encoding, and for what is too long on Fastify.
    ...(hasId ? [400, 404, 414] : []),
    ...(known.body === undefined ? [] : [400, 413, 415]),
    ...(heedsIfMatch(known) ? [412] : []),
    ...(isRepeatable(method, known) ? [409, 422] : []),
    ...(known.refusals ?? []),
  ]);
  if (status >= 400) refusals.add(status);
  const success = {
    description: STATUS_CODES[status] ?? '',
    ...(schema === undefined ? {} : { content: json(schema) }),
    ...(known.tag === undefined || known.tag === 'compared'
      ? {}
      : { headers: { ETag: { schema: { type: 'string' } } } }),
  };
  const problems = [...refusals].sort().map((code) => [code, problem(code)] as const);
  return { ...(status < 400 && { [status]: success }), ...Object.fromEntries(problems) };
}

function problem(status: number): object {
  return {
    description: STATUS_CODES[status] ?? '',
    content: { 'application/problem+json': { schema: schemaRef('Problem') } },
    ...(status === 429 ? { headers: { 'Retry-After': { schema: { type: 'integer' } } } } : {}),
  };
}

function json(schema: string): object {
  return { 'application/json': { schema: schemaRef(schema) } };
}
