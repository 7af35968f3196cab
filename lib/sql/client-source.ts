import type { Abstract, InjectionToken, OptionalFactoryDependency, Type } from '@nestjs/common';
import type { SqlClient, SqlClientDefinition } from '../database/sql-client.js';
import { ThornConfigurationError } from '../errors/index.js';

/** Makes a client of the application from injected services. */
export interface ClientFactory<Client> {
  /** The injection tokens of the arguments. Default: no arguments. */
  readonly inject?: readonly (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory: (...injected: never[]) => Client | Promise<Client>;
}

/** A client of the application: the client itself, its injection token, or a factory. */
export type ClientSource<Client extends object> =
  Client | Type<Client> | Abstract<Client> | string | symbol | ClientFactory<Client>;

type Sources<Clients extends readonly (object | undefined)[]> = {
  readonly [Index in keyof Clients]:
    ClientSource<NonNullable<Clients[Index]>> | Extract<Clients[Index], undefined>;
};

/** @param sources the client comes first; an undefined source gives an undefined client */
export function defineSqlClient<Clients extends readonly (object | undefined)[], Transaction>(
  caller: string,
  sources: Sources<Clients>,
  make: (
    ...clients: { readonly [Index in keyof Clients]: Clients[Index] }
  ) => SqlClient<Transaction> | Promise<SqlClient<Transaction>>,
): SqlClientDefinition<Transaction> {
  if (sources[0] === undefined || sources[0] === null) {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      `${caller} takes a client, its injection token or a factory, not ${sources[0]}. A class that is undefined here is ` +
        'imported in a circle.',
      { place: caller },
    );
  }
  if (sources.some((source) => typeof source === 'string' && source.includes('://'))) {
    // The error does not show the text: it is probably an address with a password. Without this check, Nest would look for
    // a provider of that name, and print it.
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      `${caller} takes a client or a pool, its injection token or a factory, and was given the address of a database.`,
      { place: caller },
    );
  }
  const factories = sources.map(factoryOf);
  return {
    inject: factories.flatMap(({ inject = [] }) => [...inject]),
    useFactory: async (...injected) => {
      let at = 0;
      const clients: unknown[] = [];
      for (const { inject = [], useFactory } of factories) {
        const given = injected.slice(at, (at += inject.length)) as never[];
        clients.push(await useFactory(...given));
      }
      return make(...(clients as unknown as Clients));
    },
  };
}

function factoryOf(source: ClientSource<object> | undefined): ClientFactory<unknown> {
  if (typeof source === 'object' && 'useFactory' in source) return source;
  if (typeof source === 'object' || source === undefined) return { useFactory: () => source };
  return { inject: [source], useFactory: (client: unknown) => client };
}
