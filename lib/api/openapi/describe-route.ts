import { STATUS_CODES } from 'node:http';
import { ANSWER_CLASSES } from '../../outbox/index.js';
import { MAX_SEARCH_LENGTH } from '../../subscriber/index.js';
import type { ApiOperation } from './operations.js';
import { type Schema, schemaRef } from './schema-parts.js';

const PARAMETERS: Readonly<Record<string, Schema>> = {
  limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  after: {
    type: 'string',
    minLength: 1,
    maxLength: 64,
    description: 'The next of the page before',
  },
  search: {
    type: 'string',
    minLength: 1,
    maxLength: MAX_SEARCH_LENGTH,
    description:
      'A text that the URL or the description holds; a page may then have fewer items than `limit`, or none, and a `next`',
  },
  status: { type: 'string', enum: ['pending', 'succeeded', 'failed'] },
  event: {
    type: 'string',
    minLength: 1,
    maxLength: 256,
    description: 'The name of an event, or a pattern such as order.*',
  },
  statusClass: {
    type: 'string',
    enum: ANSWER_CLASSES,
    description:
      'The answer to the latest attempt; error: none for another reason than a timeout; none: no attempt, or one that the log has not kept',
  },
  delivery: { type: 'string', minLength: 1, maxLength: 64, description: 'Id of a delivery' },
  message: { type: 'string', minLength: 1, maxLength: 64, description: 'Id of a message' },
  host: {
    type: 'string',
    minLength: 1,
    maxLength: 320,
    description: 'Host of the URL, with its port unless it is 443 or 80',
  },
  since: { type: 'string', format: 'date-time', description: 'From then on' },
  until: { type: 'string', format: 'date-time', description: 'Before then' },
  owner: { type: 'string', maxLength: 255, description: 'Default: anybody' },
  subscriber: {
    type: 'string',
    minLength: 1,
    maxLength: 64,
    description: 'Id of a subscriber; default: any',
  },
  by: { type: 'string', enum: ['hour', 'day'], default: 'hour' },
  days: { type: 'integer', minimum: 1, maximum: 90, default: 30 },
};

const HEADERS: Readonly<Record<string, string>> = {
  'If-Match': 'The ETag of an earlier answer: 412 when the subscriber was changed since',
  'Idempotency-Key':
    'A text of the caller: with the same one, the request is done once within a day',
  'Hook-Subscription': 'The id of the subscription, as every webhook names it',
};

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
    description: HEADERS[name],
  }));
}

function heedsIfMatch({ tag }: ApiOperation): boolean {
  return tag === 'checked' || tag === 'compared';
}

function isRepeatable(method: string, known: ApiOperation): boolean {
  return method === 'post' && known.isRepeatable !== false;
}

/** Describes a route by what is known of it: parameters, body and responses. */
export function describeRoute(
  method: string,
  names: readonly string[],
  known: ApiOperation,
): object {
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
    ...(known.description !== undefined && { description: known.description }),
    parameters: [...path, ...query, ...headersOf(method, known)],
    ...(known.body === undefined
      ? {}
      : { requestBody: { required: true, content: json(known.body) } }),
    responses: responsesOf(method, known, path.length > 0),
  };
}

/** In the platform's own shape: for a wrong percent-encoding, and for what is too long on Fastify. */
const OF_PLATFORM = Object.fromEntries(
  [400, 414].map((status) => [status, { description: STATUS_CODES[status] }]),
);

function responsesOf(method: string, known: ApiOperation, hasId: boolean): object {
  const [status, schema] = known.answer;
  const refusals = new Set([
    ...(known.isGuarded === false ? [] : [401, 403]),
    ...(hasId ? [404] : []),
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
  return {
    ...(status < 400 && { [status]: success }),
    ...(hasId && OF_PLATFORM),
    ...Object.fromEntries(problems),
  };
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
