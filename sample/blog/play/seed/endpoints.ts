import type { SeededRandom } from './seeded-random.js';

/** An answer of an endpoint, or that there was none. */
export interface SeededAnswer {
  readonly status: number | null;
  readonly duration: number;
  readonly body?: string;
}

/** An endpoint that somebody subscribed, and how it has behaved. */
export interface SeededEndpoint {
  readonly owner: string;
  readonly name: string;
  readonly description: string;
  readonly events: readonly string[];
  /** Hours ago; from then on it is disabled. */
  readonly disabledFor?: number;
  readonly ordered?: boolean;
  readonly rateLimit?: { readonly max: number; readonly per: number };
  /**
   * @param hours ago at which the attempt began
   * @param isCalm true: little fails
   */
  answer(random: SeededRandom, hours: number, isCalm: boolean): SeededAnswer;
}

/** What the seeded endpoints verify with. */
export const SEEDED_SECRET = `whsec_${Buffer.from('the secret of seeded endpoints').toString('base64')}`;

const good = (random: SeededRandom, least: number, most: number): SeededAnswer => ({
  status: 204,
  duration: random.between(least, most),
});
const down = (random: SeededRandom): SeededAnswer =>
  random.next() < 0.7
    ? {
        status: 503,
        duration: random.between(40, 160),
        body: '{"error":"Service Unavailable","detail":"The database does not accept connections"}',
      }
    : { status: null, duration: 3000 };

export const SEEDED_ENDPOINTS: readonly SeededEndpoint[] = [
  {
    owner: 'alice',
    name: 'search',
    description: 'Search index',
    events: ['article.*'],
    answer: (random, _, isCalm) =>
      random.next() < (isCalm ? 0.003 : 0.02)
        ? { status: 500, duration: random.between(20, 60), body: 'Internal Server Error' }
        : good(random, 25, 140),
  },
  {
    owner: 'alice',
    name: 'newsletter',
    description: 'Newsletter, which is slow',
    events: ['article.published', 'article.breaking'],
    rateLimit: { max: 60, per: 60_000 },
    answer: (random, _, isCalm) =>
      random.next() < (isCalm ? 0.01 : 0.12)
        ? { status: null, duration: 3000 }
        : isCalm
          ? good(random, 180, 620)
          : good(random, 1400, 2800),
  },
  {
    owner: 'alice',
    name: 'partner',
    description: 'Partner site, down since yesterday',
    events: ['article.published', 'article.changed', 'article.removed'],
    answer: (random, hours, isCalm) =>
      hours < (isCalm ? 0.2 : 26) ? down(random) : good(random, 60, 240),
  },
  {
    owner: 'alice',
    name: 'staging',
    description: 'Staging',
    events: ['article.created', 'article.changed'],
    disabledFor: 34,
    answer: (random, hours) => (hours < 44 ? down(random) : good(random, 30, 90)),
  },
  {
    owner: 'bob',
    name: 'chat',
    description: 'Chat of the editors',
    events: ['article.published', 'article.recommended'],
    answer: (random) => good(random, 90, 380),
  },
  {
    owner: 'bob',
    name: 'archive',
    description: 'Archive',
    events: ['article.*'],
    ordered: true,
    answer: (random, _, isCalm) =>
      random.next() < (isCalm ? 0.01 : 0.05)
        ? { status: 502, duration: random.between(30, 90), body: 'Bad Gateway' }
        : good(random, 45, 200),
  },
];
