import type { TableNames } from '../entities/table-names.js';

/** A condition on rows `d` of `thorn_deliveries`: an answer to any of its attempts is stored. */
export function hasAnswers({ attempts }: TableNames): string {
  return `(d.response IS NOT NULL OR d.answer_headers IS NOT NULL OR EXISTS (SELECT 1 FROM ${attempts} a WHERE a.delivery_id = d.id AND (a.response IS NOT NULL OR a.answer_headers IS NOT NULL)))`;
}
