/**
 * A row of `thorn_pauses`: a host that an operator lets nothing be sent to, or `*` for all. In the first data source.
 * Written by the operator API. Deleted when the pause is ended.
 */
export class ThornPause {
  /** Host and port, as in the URLs of subscribers. */
  host!: string;

  /** The time at which the pause began. */
  pausedAt!: number;
}

/** A row of `thorn_pauses` as it is stored. */
export interface PauseRow {
  readonly host: string;
  readonly paused_at: number | string;
}
