import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { TransactionEndedError } from '../../database/errors.js';
import { Transactions } from '../../dispatch/index.js';
import { InvalidInputError, ThornConfigurationError } from '../../errors/index.js';
import type { Message } from '../../message/index.js';
import { dataSourceName } from '../errors.js';
import type { EntityCapture } from '../hooks/entity-capture.js';
import { TransactionScopes } from '../hooks/transaction-scopes.js';

/** Texts of the warning. With hooks, the transactions of functions are known. */
const KNOWN_FUNCTIONS = [
  ' of save() or startTransaction()',
  '',
  ' Calls inside dataSource.transaction() need neither.',
] as const;
const UNKNOWN_FUNCTIONS = ['', 'the { manager } of dataSource.transaction(), ', ''] as const;

/** Binds messages to the transactions of the captured data sources. */
export class CapturedTransactions extends Transactions<EntityManager> {
  override readonly remedy =
    'Pass the manager that dataSource.transaction((manager) => …) gives you, as { manager }; or manager: null to send at once.';
  readonly #logger = new Logger('Thorn');
  #hasWarned = false;

  constructor(
    private readonly captures: readonly EntityCapture[],
    isRequired?: boolean,
  ) {
    super(isRequired);
  }

  override current(entity?: unknown): EntityManager | undefined {
    const manager = TransactionScopes.manager((dataSource) =>
      this.captures.some(
        (capture) =>
          capture.dataSource === dataSource &&
          (entity === undefined ||
            capture.plans.some(({ metadata }) => metadata.target === entity)),
      ),
    );
    if (manager === undefined) this.#warnOfUnknownCallers();
    return manager;
  }

  override enlist(message: Message, manager: EntityManager): boolean {
    checkManager(manager);
    const capture = this.captures.find(({ dataSource }) => dataSource === dataSourceOf(manager));
    const isInTransaction = manager.queryRunner?.isTransactionActive === true;
    if (capture === undefined || (isInTransaction && !capture.isAttached)) {
      const name = dataSourceName(dataSourceOf(manager));
      throw new ThornConfigurationError(
        'THORN_DATA_SOURCE_NOT_CAPTURED',
        `The manager belongs to the data source ${name}, which ThornModule does not capture; name it in the option dataSources, which has one for an outbox, and send between the start of the application and its end`,
        { dataSource: name },
      );
    }
    // The work may have been rolled back, and a message that is sent at once would outlive it. On SQLite, query runners
    // are never released.
    if (manager.queryRunner?.isReleased === true || capture.transactions.hasEnded(manager)) {
      throw TransactionEndedError.of(
        'TypeORM',
        'dataSource.transaction((manager) => …), or before commitTransaction() of a query runner. To send at once instead, pass manager: null',
      );
    }
    return capture.enlist(message, manager.queryRunner);
  }

  #warnOfUnknownCallers(): void {
    // The call that asks is refused, and its error says what to pass.
    if (this.#hasWarned || this.isRequired) return;
    const capture = this.captures.find(({ transactions }) => transactions.hasUnknownCallers);
    if (capture === undefined) return;
    this.#hasWarned = true;
    const [kind, managers, known] = capture.hasHooks ? KNOWN_FUNCTIONS : UNKNOWN_FUNCTIONS;
    this.#logger.warn(
      `send() was called while a transaction${kind} is open on ${dataSourceName(capture.dataSource)}, ` +
        'and Thorn cannot tell whether the message belongs to that transaction: the message is sent even if the ' +
        `transaction is rolled back. If it belongs to the transaction, pass ${managers}{ manager: queryRunner.manager }, or ` +
        `{ manager: event.manager } in a hook. If it does not, pass { manager: null }.${known}`,
    );
  }
}

/**
 * @throws {@link InvalidInputError} when the value does not look like an `EntityManager`. It is recognised by its
 *   shape, because an application may have two copies of TypeORM
 */
export function checkManager(manager: EntityManager): void {
  const source: unknown = typeof manager === 'object' ? dataSourceOf(manager) : undefined;
  if (typeof source === 'object' && source !== null) return;
  throw new InvalidInputError('tx', "must be one of TypeORM's EntityManagers, or null");
}
