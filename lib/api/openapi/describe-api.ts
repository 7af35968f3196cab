import type { INestApplicationContext } from '@nestjs/common';
import { WireFormat } from '../../message/index.js';
import { ApplicationKeys, UnsubscribeLinks } from '../../signing/index.js';
import { type ApiOperation, OWNER_OPERATIONS } from './operations.js';
import { OPERATOR_OPERATIONS } from './operator-operations.js';
import { OPERATOR_SCHEMAS } from './operator-schemas.js';
import { describeRoute } from './describe-route.js';
import { asOpenApi30, schemaName, withoutFields } from './document-schema.js';
import { API_SCHEMAS } from './schemas.js';

/** The part of a document of `@nestjs/swagger` that is read. */
export interface OpenApiDocument {
  readonly openapi: string;
  paths: Record<string, object>;
  components?: object;
  security?: readonly object[];
}

/** Options for {@link describeThornApi}. */
export interface DescribeThornApiOptions {
  /**
   * The security requirements of routes that pass the guards of `api`, for example `[{ bearer: [] }]`. Default: the only
   * security scheme of the document's components, if there is exactly one; else the document's own `security`.
   */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  /** The security requirements of routes of operators. Default: `security`. */
  readonly operatorSecurity?: readonly Readonly<Record<string, readonly string[]>>[];
}

interface Operation {
  readonly operationId?: string;
}

export const API_OPERATIONS: Readonly<Record<string, ApiOperation>> = {
  ...OWNER_OPERATIONS,
  ...OPERATOR_OPERATIONS,
};

const RECEIVER = 'ThornReceiver';

/** Controllers whose routes are for operators, and not for owners. */
const OPERATORS: ReadonlySet<string> = new Set(['Operator', 'OperatorReports', 'Maintenance']);

const OPERATORS_TAG = 'Webhook operators';

const POSITIONS: ReadonlyMap<string, number> = new Map(
  Object.keys(API_OPERATIONS).map((name, position) => [name, position]),
);

const METHODS = ['get', 'post', 'patch', 'put', 'delete'] as const;
const OURS = /^Thorn(\w+)Controller_(\w+?)(?:\[(\d)\])?$/;

/**
 * Describes the REST API in a document that `@nestjs/swagger` has made: adds schemas of bodies and responses, query
 * parameters, headers, statuses and security, and leaves out the routes of options that are off. The routes follow each
 * other in the order in which a reader needs them.
 *
 * Routes are recognised by their `operationId`: a custom `operationIdFactory` must leave those of the controllers named
 * `Thorn…Controller` as they are.
 *
 * @param app the application that the document describes
 * @returns a new document; the given document is not changed
 * @example
 * ```ts
 * const config = new DocumentBuilder().addBearerAuth().build();
 * SwaggerModule.setup('docs', app, () => describeThornApi(app, SwaggerModule.createDocument(app, config)));
 * ```
 */
export function describeThornApi<Document extends OpenApiDocument>(
  app: Pick<INestApplicationContext, 'get'>,
  document: Document,
  options: DescribeThornApiOptions = {},
): Document {
  const components = (document.components ?? {}) as {
    readonly schemas?: object;
    readonly securitySchemes?: object;
  };
  const security = options.security ?? onlyScheme(components.securitySchemes);
  const paths = describedPaths(document.paths, {
    isOn: routesThatAreOn(app),
    security,
    operatorSecurity: options.operatorSecurity ?? security,
  });
  const hasOperators = JSON.stringify(paths).includes(`"${OPERATORS_TAG}"`);
  const hasDigest = find(app, WireFormat)?.hookHmac === true;
  const own = Object.entries({ ...API_SCHEMAS, ...(hasOperators && OPERATOR_SCHEMAS) }).map(
    ([name, whole]) => {
      const schema = hasDigest ? whole : withoutFields(whole, ['digest', 'hmac_digest']);
      return [schemaName(name), document.openapi.startsWith('3.0') ? asOpenApi30(schema) : schema];
    },
  );
  return {
    ...document,
    paths,
    components: {
      ...components,
      schemas: { ...components.schemas, ...(Object.fromEntries(own) as object) },
      securitySchemes: { ...components.securitySchemes, ...receiverScheme(paths) },
    },
  };
}

type Security = readonly object[] | undefined;

function onlyScheme(schemes: object = {}): Security {
  const [name, ...others] = Object.keys(schemes);
  return name === undefined || others.length > 0 ? undefined : [{ [name]: [] }];
}

function routesThatAreOn(
  app: Pick<INestApplicationContext, 'get'>,
): (controller: string) => boolean {
  const hasKeys = (find(app, ApplicationKeys)?.all.length ?? 0) > 0;
  const hasLinks = find(app, UnsubscribeLinks) !== null;
  return (controller) =>
    (controller !== 'Jwks' || hasKeys) && (controller !== 'Unsubscribe' || hasLinks);
}

function find<Value>(
  app: Pick<INestApplicationContext, 'get'>,
  token: abstract new (...args: never[]) => Value,
): Value | null {
  try {
    return app.get(token as never, { strict: false });
  } catch {
    return null; // The application does not import ThornModule.
  }
}

interface PathContext {
  readonly isOn: (controller: string) => boolean;
  readonly security: Security;
  readonly operatorSecurity: Security;
}

interface DescribedOperation {
  readonly path: string;
  readonly method: string;
  readonly operation: object;
  /** The place of the route among the routes of the library; null for a route of the application. */
  readonly position: number | null;
}

/** Puts the library's paths together in the order of {@link API_OPERATIONS}, at the place of the first of them. */
function describedPaths(
  paths: Readonly<Record<string, object>>,
  context: PathContext,
): Record<string, object> {
  const all = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item as Readonly<Record<string, Operation>>).flatMap(([method, operation]) =>
      describedOperation(path, method, operation, context),
    ),
  );
  const own = all
    .filter(({ position }) => position !== null)
    .sort((one, other) => one.position! - other.position!);
  const first = all.findIndex(({ position }) => position !== null);
  const others = (from: number, to?: number) =>
    all.slice(from, to).filter(({ position }) => position === null);
  const ordered = first === -1 ? all : [...others(0, first), ...own, ...others(first)];
  const result: Record<string, Record<string, object>> = {};
  for (const { path, method, operation } of ordered) {
    (result[path] ??= {})[method] = operation;
  }
  return result;
}

/**
 * Empty for a route that is left out: a route of an option that is off, or the second version of a route, with a slash
 * at the end.
 */
function describedOperation(
  path: string,
  method: string,
  operation: Operation,
  { isOn, security, operatorSecurity }: PathContext,
): readonly DescribedOperation[] {
  const [, controller = '', handler, index = '0'] = OURS.exec(operation.operationId ?? '') ?? [];
  const key = `${controller}.${handler}`;
  // Only scripts of the page call its routes, and only people read the routes of problems, so programs need neither.
  if (controller === 'Page' || controller === 'Problems') return [];
  const known = API_OPERATIONS[key];
  if (known === undefined || !METHODS.some((name) => name === method)) {
    return [{ path, method, operation, position: null }];
  }
  if (index !== '0' || !isOn(controller)) return [];
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const isOperators = OPERATORS.has(controller);
  const required = isOperators ? operatorSecurity : security;
  const described = {
    ...operation,
    operationId: `thorn${controller}${handler![0]!.toUpperCase()}${handler!.slice(1)}`,
    ...describeRoute(method, names, known),
    ...securityOf(known, required),
    tags: [isOperators ? OPERATORS_TAG : 'Webhooks'],
  };
  return [{ path, method, operation: described, position: POSITIONS.get(key)! }];
}

function securityOf({ isReceivers, isGuarded }: ApiOperation, security: Security): object {
  if (isReceivers === true) return { security: [{ [RECEIVER]: [] }] };
  if (isReceivers === 'or-owner') return { security: [{ [RECEIVER]: [] }, ...(security ?? [{}])] };
  if (isGuarded === false) return { security: [] };
  return security === undefined ? {} : { security };
}

function receiverScheme(paths: Readonly<Record<string, object>>): object {
  if (!JSON.stringify(paths).includes(`"${RECEIVER}"`)) return {};
  const description = "One of the subscription's live secrets";
  return { [RECEIVER]: { type: 'http', scheme: 'bearer', description } };
}
