import { ThornError } from '../../errors/index.js';

/** Thrown when an owner has as many subscribers as it may have. The REST API answers it as a 409. */
export class LimitReachedError extends ThornError {
  readonly code = 'THORN_LIMIT_REACHED';

  /**
   * @param field `url` when the owner has too many for that host, `owner` when it has too many at all
   * @param limit how many it may have
   */
  constructor(
    readonly field: 'url' | 'owner',
    readonly limit: number,
  ) {
    super(
      field === 'url'
        ? `url names a host that has ${limit} subscribers already; change or delete one of them`
        : `There are ${limit} subscribers already; change or delete one of them`,
      { field, limit },
    );
  }
}
