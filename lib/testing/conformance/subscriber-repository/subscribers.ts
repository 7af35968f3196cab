import {
  DEFAULT_FIELDS,
  type MatchCriteria,
  type Subscriber,
  type SubscriberRepository,
} from '../../../subscriber/index.js';
import type { TestRunner } from '../test-runner.js';
import type { Secret } from '../../../message/index.js';

/** A storage that no other test uses, empty at first. */
export interface SubscriberStorage {
  /** A repository on the storage; called again, one as another process would have. */
  open(): SubscriberRepository;
  letStalenessPass(): void | Promise<void>;
  close(): Promise<void>;
}

/** The context that a group of tests is defined with. */
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

/** A subscriber that listens to every event, with the changes that a test needs. */
export function subscriber(id: string, different: Partial<Subscriber> = {}): Subscriber {
  return {
    ...structuredClone(DEFAULT_FIELDS),
    id,
    owner: null,
    url: 'https://example.com/hooks',
    events: ['article.*'],
    secrets: [{ value: 'whsec_c2VjcmV0', expiresAt: null }],
    key: null,
    format: null,
    verification: 'none',
    createdAt: new Date(1_700_000_000_000),
    updatedAt: new Date(1_700_000_000_000),
    ...different,
  };
}

/** The subscribers that match; by default for `article.created`, sent to everyone. */
export function matches(
  repository: SubscriberRepository,
  criteria: Partial<MatchCriteria> = {},
): ReturnType<SubscriberRepository['match']> {
  const usual = { event: 'article.created', owner: null, audience: 'everyone' } as const;
  return repository.match({ ...usual, ...criteria });
}

/** Their ids, sorted. */
export async function matched(...asked: Required<Parameters<typeof matches>>): Promise<string[]> {
  return (await matches(...asked)).map(({ id }) => id).sort();
}

export const LATER = new Date(1_700_000_100_000);

export function secretOf(value: string): Secret {
  return { value, expiresAt: null };
}

export function addSecret(
  repository: SubscriberRepository,
  id: string,
  value: string,
): Promise<Subscriber | null> {
  return repository.changeSecrets(id, (secrets) => [secretOf(value), ...secrets], LATER, 'any');
}

export function set(
  repository: SubscriberRepository,
  id: string,
  changes: Omit<Parameters<SubscriberRepository['update']>[1], 'updatedAt'>,
): Promise<Subscriber | null> {
  return repository.update(id, { ...changes, updatedAt: LATER }, 'any');
}

export async function pages(
  repository: SubscriberRepository,
  limit: number,
  between: (last: string) => Promise<void> = async () => {},
): Promise<string[][]> {
  const seen: string[][] = [];
  let after: string | null = null;
  do {
    const page = await repository.list('any', { limit, after });
    seen.push(page.items.map(({ id }) => id));
    after = page.next;
    if (after !== null) await between(after);
  } while (after !== null);
  return seen;
}
