import type { EntityManager } from 'typeorm';
import { dataSourceOf } from '../common/typeorm-compat.js';
import { Transactions } from '../dispatch/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import type { Message } from '../message/index.js';
import { dataSourceName } from './rows/data-source-name.js';
import type { EntityCapture } from './hooks/entity-capture.js';

/** Binds messages to the transactions of the captured data sources. */
export class CapturedTransactions extends Transactions {
  constructor(private readonly captures: readonly EntityCapture[]) {
    super();
  }

  override enlist(message: Message, manager: EntityManager): boolean {
    const capture = this.captures.find(({ dataSource }) => dataSource === dataSourceOf(manager));
    if (capture === undefined) {
      const name = dataSourceName(dataSourceOf(manager));
      throw new ThornConfigurationError(
        `The manager belongs to the data source ${name}, which ThornModule does not capture; add it to the option dataSources`,
        { dataSource: name },
      );
    }
    return capture.enlist(message, manager.queryRunner);
  }
}
