import type { DataSource, EntityManager } from 'typeorm';

type Method = (this: EntityManager, ...args: unknown[]) => Promise<unknown>;

/** The methods that read before they write, or write several times: each is a transaction where none is open. */
const METHODS = ['transaction', 'save', 'remove', 'softRemove', 'recover'] as const;

/**
 * Runs `around` in place of every method that may open a transaction, of all managers of a data source.
 *
 * @param around gets the manager, what makes the call, and the name of the method
 * @returns leaves the data source as it was
 */
export function wrapManagers(
  dataSource: DataSource,
  around: (
    manager: EntityManager,
    call: () => Promise<unknown>,
    method: (typeof METHODS)[number],
  ) => Promise<unknown>,
): () => void {
  const { manager: shared, createEntityManager: create } = dataSource;
  // Every query runner has a manager of its own, with the same methods.
  const outers = new Map<Method, Method>();
  const outerOf = (name: (typeof METHODS)[number], inner: Method): Method => {
    let outer = outers.get(inner);
    if (outer === undefined) {
      outer = function (...args) {
        return around(this, () => inner.apply(this, args), name);
      };
      outers.set(inner, outer);
    }
    return outer;
  };
  const wrap = (manager: EntityManager): EntityManager => {
    // Every query runner gets a manager, so each of them. By name: a loop or `Reflect` takes several times as long.
    const methods = manager as unknown as Record<(typeof METHODS)[number], Method>;
    methods.transaction = outerOf('transaction', methods.transaction);
    methods.save = outerOf('save', methods.save);
    methods.remove = outerOf('remove', methods.remove);
    methods.softRemove = outerOf('softRemove', methods.softRemove);
    methods.recover = outerOf('recover', methods.recover);
    return manager;
  };
  const restored = [
    restoring(dataSource, 'createEntityManager'),
    ...METHODS.map((name) => restoring(shared, name)),
  ];
  wrap(shared);
  dataSource.createEntityManager = (runner) => wrap(create.call(dataSource, runner));
  return () => {
    for (const restore of restored) restore();
  };
}

/** @returns puts back the property as it is now */
function restoring(object: object, name: string): () => void {
  const own = Object.getOwnPropertyDescriptor(object, name);
  return () => {
    if (own === undefined) Reflect.deleteProperty(object, name);
    else Object.defineProperty(object, name, own);
  };
}
