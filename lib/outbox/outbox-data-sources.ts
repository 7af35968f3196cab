import type { DataSource } from 'typeorm';

/** The data sources whose transactions messages are staged in; the first also takes those that belong to none. */
export class OutboxDataSources {
  constructor(readonly all: readonly DataSource[]) {}
}
