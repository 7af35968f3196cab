import { ThornError } from '../../errors/index.js';

/** Thrown when a message comes along that is stored nowhere, for a data source that this process does not have. */
export class RelaySourceUnknownError extends ThornError {
  readonly code = 'THORN_RELAY_SOURCE_UNKNOWN';

  /** @param source its place in the option `dataSources` of the sender */
  constructor(message: string, source: number) {
    super(
      `${message} belongs to data source ${source}, which this process does not have: give all processes the same dataSources`,
      { message, source },
    );
  }
}
