import { ThornError } from '../errors/index.js';

/** What one request did, or would do. */
export interface ReplayStep {
  readonly scheduled: number;
  readonly expunged: number;
  readonly disabled: number;
  readonly underWay: number;
  readonly next: string | null;
}

/** Thrown when the API refuses, or cannot be reached. */
export class ApiError extends ThornError {
  readonly code = 'THORN_API';

  // Made public: the base class is abstract.
  constructor(message: string) {
    super(message);
  }
}

/** Asks `POST /hooks/:id/recover`, or `backfill`, batch by batch. */
export class ReplayClient {
  readonly #url: string;
  readonly #headers: readonly (readonly [string, string])[];
  readonly #range: Readonly<Record<string, string>>;

  /** @param range `since` and `until` as the API takes them */
  constructor(
    url: string,
    headers: readonly (readonly [string, string])[],
    range: Readonly<Record<string, string>>,
  ) {
    this.#url = url;
    this.#headers = headers;
    this.#range = range;
  }

  /** @throws {@link ApiError} saying what the API says */
  async step(after: string | null, dryRun: boolean): Promise<ReplayStep> {
    const body = { ...this.#range, ...(dryRun && { dryRun }), ...(after !== null && { after }) };
    let response: Response;
    try {
      response = await fetch(this.#url, {
        method: 'POST',
        headers: [['content-type', 'application/json'], ...this.#headers] as [string, string][],
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

function isStep(answer: unknown): answer is ReplayStep {
  const { scheduled, next } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  return typeof scheduled === 'number' && (next === null || typeof next === 'string');
}
