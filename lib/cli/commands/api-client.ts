import { ThornError } from '../../errors/index.js';

/** Thrown when the API refuses, or cannot be reached. */
export class ApiError extends ThornError {
  readonly code = 'THORN_API';

  // Made public: the base class is abstract.
  constructor(message: string) {
    super(message);
  }
}

/** What a route of long work answers: counts, and where to go on. */
export type Step = Readonly<Record<string, unknown>> & { readonly next: string | null };

/** Asks a route of long work for one step after the other. */
export class ApiClient {
  constructor(
    private readonly url: string,
    private readonly headers: readonly (readonly [string, string])[],
  ) {}

  /** @throws {@link ApiError} saying what the API says */
  async post(body: Readonly<Record<string, unknown>>): Promise<Step> {
    let response: Response;
    try {
      response = await fetch(this.url, {
        method: 'POST',
        headers: [['content-type', 'application/json'], ...this.headers] as [string, string][],
        body: JSON.stringify(body),
      });
    } catch (error) {
      const { cause, message } = error as Error;
      throw new ApiError(
        `the API was not reached: ${cause instanceof Error ? cause.message : message}`,
      );
    }
    const answer: unknown = await response.json().catch(() => null);
    if (!response.ok) throw new ApiError(`the API answers ${response.status}${reasonIn(answer)}`);
    if (!isStep(answer)) throw new ApiError('the answer is none of this API: is --api right?');
    return answer;
  }
}

/** What a problem of RFC 9457, or an error of Nest, says. */
function reasonIn(answer: unknown): string {
  const { detail, message, title } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  const reason = [detail, message, title].flat().find((one) => typeof one === 'string');
  return reason === undefined ? '' : `: ${reason}`;
}

function isStep(answer: unknown): answer is Step {
  const { next } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  return next === null || typeof next === 'string';
}
