import type { Abstract, FactoryProvider, InjectionToken } from '@nestjs/common';

/** A value that is read from injected services. */
export interface Reading<Value> {
  readonly inject: readonly InjectionToken[];
  readonly read: (injected: readonly unknown[]) => Value;
}

/** A service by its class, or a value that is read from others. */
type Argument<Value> = Abstract<Value> | Reading<Value>;
type Injected<Tokens> = {
  readonly [Key in keyof Tokens]: Tokens[Key] extends Abstract<infer Service> ? Service : never;
};

/**
 * Provides a class, constructed with the given arguments; the compiler checks them against its constructor.
 *
 * @example
 * ```ts
 * construct(FanOut, SubscriberRepository, StaticSubscriberSet);
 * construct(SqlClients, from([CapturedDataSources], ({ all }) => all));
 * ```
 */
export function construct<Arguments extends unknown[], Service>(
  type: new (...given: Arguments) => Service,
  ...given: { [Index in keyof Arguments]: Argument<Arguments[Index]> }
): FactoryProvider<Service> {
  return constructAs(type, type, ...given);
}

/** Provides a class under the token of another, which it extends. */
export function constructAs<Arguments extends unknown[], Service>(
  token: Abstract<Service>,
  type: new (...given: Arguments) => NoInfer<Service>,
  ...given: { [Index in keyof Arguments]: Argument<Arguments[Index]> }
): FactoryProvider<Service> {
  const { inject, read } = gather(given);
  return provide(token, {
    inject,
    read: (injected) => new type(...(read(injected) as Arguments)),
  });
}

/** Provides a value that is read from other services; Nest waits for a promise of it. */
export function provide<Service, Value extends Service | Promise<Service> | null>(
  token: Abstract<Service>,
  { inject, read }: Reading<Value>,
): FactoryProvider<Service> {
  return {
    provide: token,
    inject: [...inject],
    useFactory: (...injected: unknown[]) => read(injected) as Service,
  };
}

/** Reads a value from services. */
export function from<const Tokens extends readonly Abstract<unknown>[], Value>(
  tokens: Tokens,
  read: (...services: Injected<Tokens>) => Value,
): Reading<Value> {
  return { inject: tokens, read: (injected) => read(...(injected as Injected<Tokens>)) };
}

/** Reads an object of services and values by name. */
export function named<Values extends object>(given: {
  [Name in keyof Values]: Argument<Values[Name]>;
}): Reading<Values> {
  const names = Object.keys(given);
  const { inject, read } = gather(Object.values(given));
  return {
    inject,
    read: (injected) =>
      Object.fromEntries(read(injected).map((value, index) => [names[index], value])) as Values,
  };
}

function gather(given: readonly Argument<unknown>[]): Reading<readonly unknown[]> {
  const readings = given.map((one): Reading<unknown> =>
    typeof one === 'function' ? { inject: [one], read: ([service]) => service } : one,
  );
  return {
    inject: readings.flatMap(({ inject }) => [...inject]),
    read: (injected) => {
      let at = 0;
      return readings.map(({ inject, read }) => read(injected.slice(at, (at += inject.length))));
    },
  };
}
