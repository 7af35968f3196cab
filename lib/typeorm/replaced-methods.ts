import type { DataSource } from 'typeorm';
import { dataSourceOf } from '../common/typeorm-compat.js';
import { installedVersion, SUPPORTED } from '../common/supported-versions.js';
import { ThornConfigurationError } from '../errors/index.js';

/** A call of a replaced method. */
export interface ReplacedCall<Self, Result> {
  /** The object on which the method was called. */
  readonly self: Self;
  readonly name: string;
  readonly args: readonly unknown[];
  /** Does as TypeORM would, on this object or on another one of its class. */
  readonly proceed: (on?: Self) => Result;
}

/** Takes the place of a method. */
export type Around<Self, Result> = (call: ReplacedCall<Self, Result>) => Result;

/** The methods that {@link replaceMethods} may replace. */
type ReplacedMethod =
  | ('execute' | 'transaction' | 'clear' | 'save' | 'remove' | 'softRemove' | 'recover')
  | ('createQueryRunner' | 'query');

/** The query builders that write. Restoring is one of soft deletes. */
export const WRITES = ['insert', 'update', 'delete', 'softDelete'] as const;

interface Owned {
  readonly dataSource: DataSource;
}
type Method = (this: Owned, ...args: unknown[]) => unknown;
type AnyAround = Around<never, unknown>;

/** A method of a class that is replaced for some data sources. */
interface Replacement {
  readonly original: Method;
  readonly method: Method;
  /** The functions that run instead of the method, the innermost first. */
  readonly arounds: Map<DataSource, readonly AnyAround[]>;
}

// One map for the whole process: its applications share the classes of TypeORM, and each method is replaced once.
const replacements = new WeakMap<object, Map<string, Replacement>>();

/**
 * Replaces methods of the class of one of TypeORM's objects, for one data source. Calls for other data sources go
 * straight to TypeORM. Nothing else in the library replaces a method of another package. These methods are replaced,
 * for these reasons:
 *
 * - `execute()` of the four query builders that write: the hooks of such writes are not told the criteria. On SQLite
 *   also to know the query runner that one takes: its statements write.
 * - `transaction()` of managers: no hook encloses what an application calls within it, which belongs to the
 *   transaction.
 * - `clear()` of managers: it has no hook, so that a removal without events is to be warned of, or refused.
 * - On SQLite `save()`, `remove()`, `softRemove()` and `recover()` of managers: the methods that they call run with them.
 * - On SQLite `createQueryRunner()` of the driver, and `query()` of query runners: TypeORM has one of them for all
 *   callers, and no hook that a single statement waits for.
 *
 * @param object of the class, by which also a second copy of TypeORM is found
 * @returns ends that
 * @throws {@link ThornConfigurationError} when TypeORM has no such method
 */
export function replaceMethods<Self, Result>(
  dataSource: DataSource,
  object: object,
  names: readonly ReplacedMethod[],
  around: Around<Self, Result>,
): () => void {
  // First of all: where one is missing, none is replaced.
  const holders = names.map((name) => [name, holderOf(object, name)] as const);
  const own = around as unknown as AnyAround;
  const ends = holders.map(([name, holder]) => {
    const methods = replacements.get(holder) ?? new Map<string, Replacement>();
    replacements.set(holder, methods);
    const replacement = methods.get(name) ?? replace(holder, name);
    methods.set(name, replacement);
    const { arounds, original, method } = replacement;
    arounds.set(dataSource, [...(arounds.get(dataSource) ?? []), own]);
    return () => {
      const left = (arounds.get(dataSource) ?? []).filter((one) => one !== own);
      if (left.length > 0) arounds.set(dataSource, left);
      else arounds.delete(dataSource);
      // Other code may have replaced our method meanwhile. It still calls ours, which then calls TypeORM's.
      if (arounds.size > 0 || Reflect.get(holder, name) !== method) return;
      Reflect.set(holder, name, original);
      methods.delete(name);
    };
  });
  return () => {
    for (const end of ends) end();
  };
}

/** The prototype that has a method, which subclasses inherit. */
function holderOf(object: object, name: string): object {
  let holder = Object.getPrototypeOf(object) as object | null;
  while (holder !== null && !Object.hasOwn(holder, name)) {
    holder = Object.getPrototypeOf(holder) as object | null;
  }
  if (holder !== null) return holder;
  const method = `${object.constructor.name}.${name}()`;
  const [installed = 'that is installed', supported] = [
    installedVersion('typeorm'),
    SUPPORTED['typeorm'],
  ];
  throw new ThornConfigurationError(
    'THORN_TYPEORM_UNSUPPORTED',
    `TypeORM ${installed} has no ${method}, which Thorn replaces to capture writes. Install TypeORM ${supported}.`,
    { class: object.constructor.name, method: name, installed, supported },
  );
}

function replace(holder: object, name: string): Replacement {
  const original = Reflect.get(holder, name) as Method;
  const arounds: Replacement['arounds'] = new Map();
  const method: Method = function (...args) {
    const known = arounds.get(dataSourceOf(this));
    let proceed = (on: Owned): unknown => original.apply(on, args);
    for (const around of known ?? []) {
      const next = proceed;
      proceed = (self) =>
        around({ self: self as never, name, args, proceed: (on = self as never) => next(on) });
    }
    return proceed(this);
  };
  Reflect.set(holder, name, method);
  return { original, method, arounds };
}

/**
 * Lets a query runner on SQLite know that it is in no transaction: where its BEGIN has failed, or its own rollback has left
 * the transaction open and it was rolled back for it. TypeORM's methods would then act on the transaction of another one.
 */
export function forgetTransaction(runner: {
  isTransactionActive: boolean;
  transactionDepth: number;
}): void {
  runner.transactionDepth = 0;
  runner.isTransactionActive = false;
}
