/** What docs/databases.md uses of the Prisma adapter of `@nestjs-cls/transactional`, which is not installed here. */
import type { TransactionalAdapter } from '@nestjs-cls/transactional';

type Transaction<Client> = Omit<Client, '$connect' | '$disconnect' | '$on' | '$transaction'>;

export declare class TransactionalAdapterPrisma<
  Client extends object,
> implements TransactionalAdapter<Client, Transaction<Client>, object> {
  optionsFactory: TransactionalAdapter<Client, Transaction<Client>, object>['optionsFactory'];
}
