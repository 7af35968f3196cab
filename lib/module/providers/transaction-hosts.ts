import type { DiscoveryService } from '@nestjs/core';

/** The part of a `TransactionHost` of `@nestjs-cls/transactional` that is used. */
interface TransactionHost {
  readonly tx: unknown;
  isTransactionActive?(): boolean;
}

/** Finds the transactions of `@nestjs-cls/transactional`, where the application has it. */
export class TransactionHosts {
  #hosts: ReturnType<DiscoveryService['getProviders']> | undefined;

  constructor(private readonly discovery: DiscoveryService) {}

  /**
   * The transaction that the caller is in. If several are open, that of the connection without a name: the client refuses
   * what is of another one.
   */
  current(): unknown {
    for (const { instance } of this.#all()) {
      const host = instance as TransactionHost | undefined;
      if (host?.isTransactionActive?.() === true) return host.tx;
    }
    return undefined;
  }

  /** Whether the application has any. */
  get areThere(): boolean {
    return this.#all().length > 0;
  }

  #all() {
    return (this.#hosts ??= this.#find());
  }

  // By its name and shape: the application may have another copy of the package than the library would find.
  #find() {
    const hosts = this.discovery
      .getProviders()
      .filter(({ metatype }) => metatype?.name === 'TransactionHost');
    const isDefault = ({ token }: (typeof hosts)[number]) => typeof token === 'function';
    return [...hosts.filter(isDefault), ...hosts.filter((one) => !isDefault(one))];
  }
}
