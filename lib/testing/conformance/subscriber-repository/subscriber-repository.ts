import type { TestRunner } from '../test-runner.js';
import { listingTests, ownersTests } from './listing-tests.js';
import { matchingTests, unheardEventsTests } from './matching-tests.js';
import { racesTests } from './races-tests.js';
import { secretsTests } from './secrets-tests.js';
import { severalProcessesTests } from './several-processes-tests.js';
import { storingTests } from './storing-tests.js';
import { termsTests } from './terms-tests.js';
import type { SuiteContext, SubscriberStorage } from './subscribers.js';

/** The implementation under test. */
export interface SubscriberRepositoryUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** True when several processes can use one storage; then they must see each other's changes. */
  readonly shared: boolean;
  /** Called once for each test. */
  makeStorage(): Promise<SubscriberStorage>;
}

/** Defines the tests that every `SubscriberRepository` must pass. */
export function subscriberRepositoryConformance(
  { name, shared, makeStorage }: SubscriberRepositoryUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const test: SuiteContext['test'] = (title, body) => {
    it(title, async () => {
      const storage = await makeStorage();
      await body(storage.open(), storage).finally(() => storage.close());
    });
  };
  const group = (title: string, define: (context: SuiteContext) => void) =>
    describe(`${name}: ${title}`, () => define({ test, expect, shared }));

  group('storing', storingTests);
  group('terms', termsTests);
  group('secrets', secretsTests);
  group('owners', ownersTests);
  group('listing', listingTests);
  group('matching', matchingTests);
  group('races', racesTests);
  group('unheard events', unheardEventsTests);
  if (shared) group('several processes', severalProcessesTests);
}
