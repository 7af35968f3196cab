import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';

const makeDatabase = () =>
  drizzle({ client: new Pool({ connectionString: process.env['DATABASE_URL'] }) });

export type Database = ReturnType<typeof makeDatabase>;

export const DATABASE = Symbol('database');

@Global()
@Module({
  providers: [{ provide: DATABASE, useFactory: makeDatabase }],
  exports: [DATABASE],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(DATABASE) private readonly db: Database) {}

  /** Not before: Thorn delivers by this pool until then. */
  async onApplicationShutdown(): Promise<void> {
    await this.db.$client.end();
  }
}
