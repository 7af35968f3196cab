import { STATUS_CODES } from 'node:http';
import { MAX_TAG_LENGTH } from '../subscribers/etag.js';
import type { ApiOperation } from './operations.js';
import { text } from '../../common/json-schema.js';
import { schemaRef } from './document-schema.js';

const PROBLEM = 'application/problem+json';
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
    ...(known.isReceivers === undefined ? [] : ['Hook-Subscription']),
  ];
  return names.map((name) => ({
    name,
    in: 'header',
    required: name === 'Hook-Subscription' && known.isReceivers === true,
    schema: { ...text, minLength: 1, maxLength: name === 'If-Match' ? MAX_TAG_LENGTH : 255 },
    description: HEADERS[name],
  }));
}

function heedsIfMatch({ tag }: ApiOperation): boolean {
  return tag === 'checked' || tag === 'compared';
}

function isRepeatable(method: string, known: ApiOperation): boolean {
  return method === 'post' && known.isRepeatable !== false;
}

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
  const query = Object.entries(known.query ?? {}).map(([name, { schema }]) => ({
    name,
    in: 'query',
    required: false,
    schema,
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

/**
 * Statuses that Express and Fastify answer themselves, before any route is reached, in the shape of Nest's errors.
 * `address`: the address is wrongly encoded or, on Fastify, too long. `body`: the body is too large or, on
 * Fastify, not JSON or of an unknown type.
 */
const OF_PLATFORM = { address: [400, 414], body: [400, 413, 415] } as const;

function responsesOf(method: string, known: ApiOperation, hasId: boolean): object {
  const [status] = known.answer;
  const refusals = new Set([
    ...(known.isGuarded === false ? [] : [401, 403]),
    ...(hasId ? [404] : []),
    ...(known.body === undefined ? [] : [400, 413, 415]),
    ...(heedsIfMatch(known) ? [412] : []),
    ...(isRepeatable(method, known) ? [409, 422] : []),
    ...(known.refusals ?? []),
  ]);
  if (status >= 400) refusals.add(status);
  const ofPlatform = new Set<number>([
    ...(hasId ? OF_PLATFORM.address : []),
    ...OF_PLATFORM.body.filter((code) => method !== 'get' && refusals.has(code)),
  ]);
  const successes = [known.answer, ...(known.orElse === undefined ? [] : [known.orElse])].filter(
    ([code]) => code < 400,
  );
  const errors = [...new Set([...refusals, ...ofPlatform])].sort().map((code) => {
    const problems = refusals.has(code) ? { [PROBLEM]: { schema: schemaRef('Problem') } } : {};
    const others = ofPlatform.has(code) ? json('PlatformError') : {};
    return [code, errorOf(code, { ...problems, ...others })] as const;
  });
  return {
    ...Object.fromEntries(
      successes.map(([code, schema]) => [code, successOf(known, code, schema)]),
    ),
    ...Object.fromEntries(errors),
  };
}

function successOf(known: ApiOperation, status: number, schema?: string): object {
  return {
    description: STATUS_CODES[status] ?? '',
    ...(schema === undefined ? {} : { content: json(schema) }),
    ...headersOfAnswer(known),
  };
}

function headersOfAnswer({ tag, hasLink }: ApiOperation): object {
  const names = [
    ...(tag === undefined || tag === 'compared' ? [] : ['ETag']),
    ...(hasLink === true ? ['Link'] : []),
  ];
  const headers = names.map((name) => [name, { schema: { type: 'string' } }] as const);
  return names.length === 0 ? {} : { headers: Object.fromEntries(headers) as object };
}

function errorOf(status: number, content: object): object {
  return {
    description: STATUS_CODES[status] ?? '',
    content,
    ...(status === 429 ? { headers: { 'Retry-After': { schema: { type: 'integer' } } } } : {}),
  };
}

function json(schema: string): object {
  return { 'application/json': { schema: schemaRef(schema) } };
}
