import { inject } from 'vitest';

/**
 * For `describe.each()` where capturing does the same on every database: SQLite and PostgreSQL, and MariaDB in
 * `npm run test:rest`. Where the code has a branch for MariaDB, use `CAPTURE_DATABASES`.
 */
export const DATABASES_ALIKE = inject('databasesAlike');
