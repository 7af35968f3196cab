import type { DataSource, EntitySubscriberInterface } from 'typeorm';
import { ThornConfigurationError } from '../../errors/index.js';
import { addOwnSubscribers } from '../own-subscribers.js';
import { dataSourceName } from '../errors.js';

/** The position of some hooks among the subscribers of a data source. */
export class HooksAttachment {
  #hooks: readonly EntitySubscriberInterface[] = [];
  #release: (() => void) | undefined;

  constructor(private readonly dataSource: DataSource) {}

  /** Tells whether the hooks were added and not removed. */
  get isWanted(): boolean {
    return this.#hooks.length > 0;
  }

  /** Tells whether TypeORM has forgotten the hooks: it makes a new list whenever a data source is initialised. */
  get isLost(): boolean {
    const { isInitialized, subscribers } = this.dataSource;
    return isInitialized && this.isWanted && !subscribers.includes(this.#hooks[0]!);
  }

  /** @throws {@link ThornConfigurationError} while the data source is not initialised: its metadata is not built yet */
  assertPossible(): void {
    if (this.dataSource.isInitialized) return;
    const name = dataSourceName(this.dataSource);
    throw new ThornConfigurationError(
      'THORN_DATA_SOURCE_NOT_INITIALIZED',
      `The data source ${name} is not initialised; call its initialize() before its entities are captured`,
      { dataSource: name },
    );
  }

  /** @param release undoes what else was changed for the hooks, when they are removed */
  add(hooks: readonly EntitySubscriberInterface[], release: () => void): void {
    this.#hooks = hooks;
    const detach = addOwnSubscribers(this.dataSource, hooks);
    this.#release = () => {
      detach();
      release();
    };
  }

  remove(): void {
    this.#hooks = [];
    this.#release?.();
    this.#release = undefined;
  }
}
