import 'reflect-metadata';
import type { DataClass } from '../define-events.js';

/** The options of `@ApiProperty()`, or of the plugin of @nestjs/swagger, for one property. */
export type SwaggerProperty = Readonly<Record<string, unknown>>;

// Read as they are written, so that @nestjs/swagger need not be there.
const NAMES = 'swagger/apiModelPropertiesArray';
const PROPERTY = 'swagger/apiModelProperties';
const PLUGIN = '_OPENAPI_METADATA_FACTORY';

/** The properties of a class that @nestjs/swagger knows, inherited ones included; what is decorated wins. */
export function swaggerProperties(type: DataClass): ReadonlyMap<string, SwaggerProperty> {
  const found = new Map<string, SwaggerProperty>();
  for (const one of lineage(type)) {
    for (const [name, property] of Object.entries(ofPlugin(one))) {
      found.set(name, { ...found.get(name), ...property });
    }
  }
  const prototype = type.prototype as object;
  const names = (Reflect.getMetadata(NAMES, prototype) as readonly string[] | undefined) ?? [];
  for (const name of names.map((marked) => marked.slice(1))) {
    const property = Reflect.getMetadata(PROPERTY, prototype, name) as SwaggerProperty;
    const given = Object.entries(property).filter(([, value]) => value !== undefined);
    found.set(name, { ...found.get(name), ...Object.fromEntries(given) });
  }
  return found;
}

/** The class and its bases, the first base first. */
function lineage(type: DataClass): readonly DataClass[] {
  const base = Object.getPrototypeOf(type) as DataClass | null;
  return typeof base === 'function' && base.prototype !== undefined
    ? [...lineage(base), type]
    : [type];
}

function ofPlugin(type: DataClass): Readonly<Record<string, SwaggerProperty>> {
  if (!Object.hasOwn(type, PLUGIN)) return {};
  const factory = Reflect.get(type, PLUGIN) as () => Record<string, SwaggerProperty>;
  return factory();
}
