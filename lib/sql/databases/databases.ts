import type { ClientDatabase } from './client-database.js';
import { MYSQL } from './mysql.js';
import { POSTGRES } from './postgres.js';
import { SQLITE } from './sqlite.js';

export { MYSQL, POSTGRES, SQLITE };
export const DATABASES: readonly ClientDatabase[] = [POSTGRES, MYSQL, SQLITE];
