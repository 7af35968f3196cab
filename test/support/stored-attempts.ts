/** The attempts that are stored, as a table expression: the first ones from the rows of their deliveries. */
export const STORED_ATTEMPTS = `(
  SELECT id AS delivery_id, 1 AS number, started_at, duration,
    response_status AS status, error_code, error_message, response, address, answer_headers
  FROM thorn_deliveries WHERE duration IS NOT NULL
  UNION ALL
  SELECT delivery_id, number, started_at, duration, status, error_code, error_message, response, address, answer_headers
  FROM thorn_attempts
) AS stored_attempts`;
