import type { EntityMetadata } from 'typeorm';
import { ThornConfigurationError } from '../../errors/index.js';

/**
 * Refuses an entity that keeps a column in a private field, behind an accessor: events compare and show copies of rows, and
 * no copy has the private fields of another object.
 *
 * @throws {@link ThornConfigurationError}
 */
export function checkPrivateColumns({ name, target, columns, relations }: EntityMetadata): void {
  for (const { propertyName, propertyPath, embeddedMetadata } of [...columns, ...relations]) {
    const type: unknown = embeddedMetadata?.type ?? target;
    if (typeof type !== 'function' || !isPrivate(type.prototype as object, propertyName)) continue;
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${name}: ${propertyPath} is an accessor for a private field, and events need copies of rows, which cannot have it. ` +
        `Declare ${propertyPath} as a property, or let the accessor keep its value in a property such as _${propertyName}`,
      { entity: name, property: propertyPath },
    );
  }
}

function isPrivate(prototype: object, property: string): boolean {
  try {
    Reflect.get(Object.create(prototype) as object, property);
    return false;
  } catch (error) {
    return error instanceof TypeError && error.message.includes('private member');
  }
}
