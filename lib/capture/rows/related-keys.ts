import { inspect } from 'node:util';
import type { ObjectLiteral } from 'typeorm';
import type { Column } from './row-key.js';
import type { RelationMetadata } from './typeorm-types.js';

/**
 * Stands in for related rows whose key alone is known, from the row that refers to them. Notices when more of one is
 * asked for: then it has to be read.
 */
export class RelatedKeys {
  #isGiven = false;
  #isEnough = true;

  /** True if a row was given, so that what fails may fail for the lack of the rest. */
  get isGiven(): boolean {
    return this.#isGiven;
  }

  /** False once more than a key was asked for. */
  get isEnough(): boolean {
    return this.#isEnough;
  }

  /** A related row, or null for no key. */
  row(relation: RelationMetadata, key: unknown): ObjectLiteral | null {
    if (key === null) return null;
    this.#isGiven = true;
    const { referencedColumn } = relation.joinColumns[0]!;
    const row = relation.inverseEntityMetadata.create(undefined, {
      fromDeserializer: true,
    }) as ObjectLiteral;
    referencedColumn!.setEntityValue(row, key);
    // Node looks through proxies when it prints.
    Object.defineProperty(row, inspect.custom, { value: () => (this.ask(), { ...row }) });
    return new Proxy(row, this.#notices(referencedColumn!));
  }

  /** The rows were asked for more than their keys. */
  ask(): void {
    this.#isEnough = false;
  }

  #notices({ propertyName }: Column): ProxyHandler<ObjectLiteral> {
    // A lazy relation would have its value beside it.
    const known = new Set<PropertyKey>([propertyName, `__${propertyName}__`]);
    const note = (property: PropertyKey): void => {
      if (!known.has(property)) this.ask();
    };
    return {
      get: (row, property) => (note(property), Reflect.get(row, property) as unknown),
      has: (row, property) => (note(property), Reflect.has(row, property)),
      getOwnPropertyDescriptor: (row, property) => (
        note(property),
        Reflect.getOwnPropertyDescriptor(row, property)
      ),
      ownKeys: (row) => (this.ask(), Reflect.ownKeys(row)),
    };
  }
}
