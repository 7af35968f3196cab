import type { SqliteHandle } from '../database/sql-driver.js';
import { InvalidInputError } from '../errors/index.js';
import { DriverClient } from './driver-client.js';
import type { StoreDriver } from './store-driver.js';

/** A client on `better-sqlite3`. Its transactions end before a promise resolves, so that none of them is joined. */
export class HandleClient extends DriverClient<never> {
  protected readonly how = 'no transaction';

  constructor(
    readonly name: string,
    store: StoreDriver,
    handle: SqliteHandle,
  ) {
    super(store, handle);
  }

  protected override check(): never {
    throw new InvalidInputError(
      'tx',
      `cannot be a transaction of ${this.name} on better-sqlite3, which ends before a promise resolves. For events that commit with your rows, declare them on the table by the option tables; to send at once, pass tx: null. In a receiver, leave processOnce() out: its store handles each message once`,
    );
  }

  protected override run(): never {
    return this.check();
  }
}
