/** Messages with the lease and the due time of those that are under way; both are null for the others. */
export const STORED_MESSAGES =
  '(SELECT m.*, p.lease, p.due_at FROM thorn_messages m LEFT JOIN thorn_pending_messages p ON p.id = m.id) AS stored';
