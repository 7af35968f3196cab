export const SETUP_WARNINGS = [
  'in-memory-store',
  'no-health-check',
  'no-shutdown-hooks',
  'secrets-unsealed',
  'shared-path',
  'synchronize',
  'tables-outdated',
] as const;

/** A part of the set-up that will cause problems in production. */
export interface SetupWarning {
  readonly code: (typeof SETUP_WARNINGS)[number];
  /** The problem, and how to fix it. */
  readonly text: string;
}

/** The set-up of an application. It has no secrets. */
export interface SetupReport {
  /** The strategy, for example `outbox() with a worker`. */
  readonly strategy: string;
  /** The captured data sources, or the client of the option `database`, with their kinds of database. */
  readonly dataSources: readonly { readonly name: string; readonly type: string }[];
  /** The number of declared events. */
  readonly events: number;
  /** The paths of the REST APIs. */
  readonly apis: readonly string[];
  /** The paths of pages. */
  readonly pages: readonly string[];
  readonly warnings: readonly SetupWarning[];
}

/** Reports how the running application is set up. */
export abstract class ApplicationReport {
  /** Reads the set-up as it is now, and compares the triggers of tables with events. */
  abstract read(): Promise<SetupReport>;
}
