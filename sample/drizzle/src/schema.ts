import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core';

export const orders = pgTable('orders', {
  id: serial().primaryKey(),
  partner: text().notNull(),
  total: integer().notNull(),
});

export type Order = typeof orders.$inferSelect;
