import { randomUUID } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import type { CanActivate } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeThornApi } from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS } from '../../lib/testing/index.js';
import { type Answer, type Api, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';

type Schema = Readonly<Record<string, unknown>>;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { name: string; in: string; schema: Schema }[];
  readonly requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
}

interface Refusal {
  readonly field: string;
  readonly code: string;
  readonly reason: string;
}

/** The operator API has to have a guard. */
class Anybody implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);

/** A body that is accepted, where one without any field is not. */
const BASE: Readonly<Record<string, object>> = {
  NewSubscriber: { url: 'https://example.com/', events: ['*'] },
  Replay: { since: '2026-01-01T00:00:00Z' },
  Selection: { ids: ['dlv_1'] },
  NewPause: { host: 'example.com' },
};

/** Values that no field of another type takes. */
const OF_ALL_TYPES = [null, true, 5, -1, 1.5, '', 'x', '\0', [], [null], {}, { a: null }];

/** Values around the limits that a schema states, on both sides of each. */
function aroundLimits(schema: Schema): readonly unknown[] {
  const { anyOf, oneOf, items, properties, additionalProperties, propertyNames } = schema as {
    readonly anyOf?: readonly Schema[];
    readonly oneOf?: readonly Schema[];
    readonly items?: Schema;
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly additionalProperties?: Schema | boolean;
    readonly propertyNames?: Schema;
  };
  const number = (name: string): number[] => {
    const limit = schema[name];
    return typeof limit === 'number' ? [limit - 1, limit, limit + 1].filter((one) => one >= 0) : [];
  };
  const lengths = [...number('minLength'), ...number('maxLength')];
  const sizes = [...number('minItems'), ...number('maxItems')];
  const entries = (size: number, value: unknown) =>
    Object.fromEntries(Array.from({ length: size }, (_, at) => [`name${at}`, value]));
  const whole = Object.fromEntries(
    Object.entries(properties ?? {}).map(([name, one]) => [name, aroundLimits(one)[1]]),
  );
  return [
    ...(anyOf ?? oneOf ?? []).flatMap(aroundLimits),
    ...lengths.map((length) => 'a'.repeat(length)),
    ...[...number('minimum'), ...number('maximum')],
    ...sizes.map((size) => Array.from({ length: size }, (_, at) => `a${at}`)),
    ...(items === undefined ? [] : aroundLimits(items).map((one) => [one])),
    ...(items === undefined ? [] : [['*', '*']]),
    ...(properties === undefined
      ? []
      : [
          { ...whole, other: 1 },
          ...Object.entries(properties).flatMap(([name, one]) =>
            [undefined, ...OF_ALL_TYPES, ...aroundLimits(one)].map((value) => ({
              ...whole,
              [name]: value,
            })),
          ),
        ]),
    ...number('maxProperties').map((size) => entries(size, 'a')),
    ...(typeof additionalProperties === 'object'
      ? [...OF_ALL_TYPES, ...aroundLimits(additionalProperties)].map((one) => entries(1, one))
      : []),
    ...(propertyNames === undefined ? [] : aroundLimits(propertyNames)).map((name) => ({
      [String(name)]: 'a',
    })),
  ];
}

/** Whether each text, list, number and map that a schema allows has an end. */
function unbounded(schema: Schema, path: string): readonly string[] {
  const { type, anyOf, oneOf, items, properties = {}, additionalProperties } = schema;
  const missing = (name: string) => (schema[name] === undefined ? [`${path}: ${name}`] : []);
  const isFixed =
    ['enum', 'pattern'].some((word) => word in schema) || schema['format'] === 'date-time';
  return [
    ...(type === 'string' && !isFixed ? missing('maxLength') : []),
    ...(type === 'integer' ? [...missing('minimum'), ...missing('maximum')] : []),
    ...(type === 'array' ? missing('maxItems') : []),
    ...(typeof additionalProperties === 'object'
      ? [
          ...missing('maxProperties'),
          ...missing('propertyNames'),
          ...unbounded(additionalProperties as Schema, `${path}.*`),
        ]
      : []),
    ...(items === undefined ? [] : unbounded(items as Schema, `${path}[]`)),
    ...[...((anyOf ?? oneOf ?? []) as readonly Schema[])].flatMap((one) => unbounded(one, path)),
    ...Object.entries(properties as Readonly<Record<string, Schema>>).flatMap(([name, one]) =>
      unbounded(one, `${path}.${name}`),
    ),
  ];
}

/** The refusals that a request is answered with. */
function refusalsOf({ body }: Answer): readonly Refusal[] {
  return ((body ?? {}) as { readonly errors?: readonly Refusal[] }).errors ?? [];
}

describe('the limits that the OpenAPI document states', () => {
  let api: Api;
  let store: TestDatabase;
  let operations: readonly Operation[];
  let schemas: Readonly<Record<string, Schema>>;
  let ids: Readonly<Record<string, string>>;

  beforeAll(async () => {
    store = await sqliteAndPostgres[0]!.create();
    api = await startApi('express', {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        signing: { hookHmac: true },
        operatorApi: { guards: [Anybody], bodies: true },
        encryption: { keys: [{ id: 'first', key: randomBytes(32) }] },
      },
      api: { unprotected: true, owner: () => 'alice', limits: { subscribersPerOwner: 1000 } },
    });
    const config = new DocumentBuilder().setOpenAPIVersion('3.1.0').build();
    const document = describeThornApi(api.app, SwaggerModule.createDocument(api.app, config));
    schemas = (document.components as { schemas: Record<string, Schema> }).schemas;
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item as object).map(([method, one]) => ({ ...one, path, method })),
    );
    const { id } = await api.subscribers.create({
      url: 'https://example.com/',
      events: ['*'],
      owner: 'alice',
    });
    ids = { id, delivery: 'dlv_none', name: 'article.created', host: '*' };
  });
  afterAll(async () => {
    await api.app.close();
    await store.drop();
  });

  const send = ({ method, path }: Operation, query: string, body?: object, headers = {}) =>
    api.send(
      method.toUpperCase(),
      path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name]!) + query,
      { headers, ...(body !== undefined && { body: body }) },
    );

  /** A change names only some of them: the others stay, and count. */
  const removeHeaders = async () => {
    const path = `/hooks/${ids['id']}`;
    const names = (await api.send('GET', path)).body.headers as string[];
    const headers = Object.fromEntries(names.map((name) => [name, null]));
    expect((await api.send('PATCH', path, { body: { headers } })).body.headers).toEqual([]);
  };

  const bodies = () =>
    operations.flatMap((operation) => {
      const ref = operation.requestBody?.content['application/json'].schema.$ref;
      if (ref === undefined) return [];
      const name = ref.split('/').at(-1)!;
      const properties = (schemas[name]!['properties'] ?? {}) as Readonly<Record<string, Schema>>;
      const base = (field?: string) => {
        const { events, ...others } = { ...BASE[name.replace(/^Thorn/, '')] } as {
          events?: object;
        };
        return field === 'event' || events === undefined ? others : { events, ...others };
      };
      const what = `${operation.method} ${operation.path}`;
      return [{ operation, name, schema: schemas[name]!, properties, base, what }];
    });

  it('bound every text, list and number of a request', () => {
    const loose = bodies().flatMap(({ name, schema }) => unbounded(schema, name));
    const queries = operations.flatMap(({ parameters, path }) =>
      parameters
        .filter((one) => one.in !== 'path')
        .flatMap(({ name, schema }) => unbounded(schema, `${path} ${name}`)),
    );
    expect([...new Set([...loose, ...queries])]).toEqual([]);
  });

  it('are enforced for every field of a body, by its name', async () => {
    let checked = 0;
    const accepted: string[] = [];
    for (const { operation, schema, properties, base, what } of bodies()) {
      for (const [field, one] of Object.entries(properties)) {
        const isRefused = ajv.compile(one);
        const isNeeded = ((schema['required'] ?? []) as readonly string[]).includes(field);
        const values = [...OF_ALL_TYPES, ...aroundLimits(one)].filter((value) => !isRefused(value));
        for (const value of isNeeded ? [undefined, ...values] : values) {
          const answer = await send(operation, '', { ...base(field), [field]: value });
          checked += 1;
          const found = refusalsOf(answer).find((refusal) => refusal.field === field);
          if (answer.status === 400 && found !== undefined && found.code !== 'unknown-field')
            continue;
          accepted.push(
            `${what} ${answer.status} ${field}: ${JSON.stringify(value)?.slice(0, 60)}`,
          );
        }
      }
    }
    expect(accepted).toEqual([]);
    expect(checked).toBeGreaterThan(300);
  });

  it('are those that a body is held to', async () => {
    /** Values at the limit, of fields that take no text of the letter a alone. */
    const AT_LIMIT: Readonly<Record<string, (length: number) => string>> = {
      url: (length) => 'https://example.com/'.padEnd(length, 'a'),
      hmac_secret: (length) => 'A secret'.padEnd(length, 'b'),
      after: (length) => {
        if (length === 40) return `dlv_${randomUUID()}`;
        return (length === 76 ? 'subscribers/' : `${'9'.repeat(15)}:`).padEnd(length, 'a');
      },
    };
    /** Refused for what a value says, not for its size. */
    const isMeaning = ({ code, reason }: Refusal) =>
      ['unknown-event', 'no-changes', 'not-offered', 'rotated-too-often'].includes(code) ||
      /one of the event types|one of application\/json|one of standard|control characters|printable ASCII/.test(
        reason,
      );
    const refused: string[] = [];
    for (const { operation, properties, base, what } of bodies()) {
      for (const [field, one] of Object.entries(properties)) {
        const fits = ajv.compile(one);
        const { maxLength } = one as { readonly maxLength?: number };
        const special = AT_LIMIT[field];
        const values =
          special !== undefined && maxLength !== undefined
            ? [special(maxLength)]
            : aroundLimits(one).filter((value) => fits(value));
        for (const value of values) {
          if (field === 'headers') await removeHeaders();
          const hold = field === 'holdFor' ? { onExhausted: 'hold' } : {};
          const answer = await send(operation, '', { ...base(field), ...hold, [field]: value });
          const found = refusalsOf(answer).find((refusal) => refusal.field === field);
          if (found === undefined || isMeaning(found)) continue;
          refused.push(
            `${what} ${field}: ${JSON.stringify(value)?.slice(0, 60)} ${JSON.stringify(found)}`,
          );
        }
      }
    }
    expect(refused).toEqual([]);
  });

  it('name every field that a route takes', async () => {
    const names = new Set(
      Object.values(schemas).flatMap((schema) => Object.keys(schema['properties'] ?? {})),
    );
    const taken: string[] = [];
    for (const { operation, properties, base, what } of bodies()) {
      // Two names of one field are refused as such.
      for (const isAlias of [true, false]) {
        const others = [...names].filter(
          (name) => name.includes('_') === isAlias && !Object.hasOwn(properties, name),
        );
        const body = { ...base(), ...Object.fromEntries(others.map((name) => [name, 'x'])) };
        const refusals = refusalsOf(await send(operation, '', body));
        const refused = new Set(
          refusals.flatMap(({ field, code }) => (code === 'unknown-field' ? [field] : [])),
        );
        taken.push(...others.filter((name) => !refused.has(name)).map((name) => `${what} ${name}`));
      }
    }
    expect(taken).toEqual([]);
  });

  it('name every parameter that a route takes', async () => {
    const queries = (operation: Operation) =>
      operation.parameters.filter((one) => one.in === 'query').map(({ name }) => name);
    const names = new Set(operations.flatMap(queries));
    expect(names.size).toBeGreaterThan(10);
    const taken: string[] = [];
    for (const operation of operations.filter(({ method }) => method === 'get')) {
      for (const name of [...names].filter((one) => !queries(operation).includes(one))) {
        const refusals = refusalsOf(await send(operation, `?${name}=%00`));
        const isUnknown = refusals.some(
          ({ field, code }) => field === name && code === 'unknown-field',
        );
        if (!isUnknown && refusals.length > 0) taken.push(`${operation.path} ${name}`);
      }
    }
    expect(taken).toEqual([]);
  });

  it('are enforced for every parameter and header, by its name', async () => {
    const accepted: string[] = [];
    for (const operation of operations) {
      const { parameters, method, path } = operation;
      for (const { name, in: place, schema } of parameters) {
        // Who calls is checked before what is asked, and paths have ids of anything.
        if (place === 'path' || name === 'Hook-Subscription') continue;
        const fits = ajv.compile(schema);
        const texts = ['x', 'yesterday', ...aroundLimits(schema).map(String)].filter(
          (text) => !fits(schema['type'] === 'integer' ? Number(text) : text),
        );
        for (const text of new Set(texts)) {
          // An empty header is no header.
          if (place === 'header' && text === '') continue;
          const answer = await send(
            operation,
            place === 'query' ? `?${name}=${encodeURIComponent(text)}` : '',
            method === 'get' || method === 'delete'
              ? undefined
              : method === 'patch'
                ? { enabled: true }
                : {},
            place === 'header' ? { [name]: name === 'If-Match' ? `"${text.slice(2)}"` : text } : {},
          );
          if (answer.status === 400 && refusalsOf(answer)[0]?.field === name) continue;
          accepted.push(`${method} ${path} ${answer.status} ${name}: ${text.slice(0, 60)}`);
        }
      }
    }
    expect(accepted).toEqual([]);
  });
});
