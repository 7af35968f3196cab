import type { ValueTransformer } from 'typeorm';

/** Drivers disagree about bigint: PostgreSQL and MySQL answer text, SQLite a number. */
export const EPOCH_MILLISECONDS: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};
