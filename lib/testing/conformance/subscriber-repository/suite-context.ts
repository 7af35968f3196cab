import type { SubscriberRepository } from '../../../subscriber/index.js';
import type { TestRunner } from '../test-runner.js';

/** A storage that no other test uses, empty at first. */
export interface SubscriberStorage {
  /** A repository on the storage; called again, one as another process would have. */
  open(): SubscriberRepository;
  letStalenessPass(): void | Promise<void>;
  close(): Promise<void>;
}

/** What a group of tests is defined with. */
export interface SuiteContext {
  /** Defines a test with a storage of its own. */
  test(
    title: string,
    body: (repository: SubscriberRepository, storage: SubscriberStorage) => Promise<void>,
  ): void;
  readonly expect: TestRunner['expect'];
  /** True when several processes can use one storage. */
  readonly shared: boolean;
}
