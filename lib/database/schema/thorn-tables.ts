import type { RECEIVER_TABLE } from '../sql-client.js';
import type { ColumnDefinition, IndexDefinition, TableDefinition } from './table-definition.js';

const uuid: ColumnDefinition = { type: 'uuid' };
const int: ColumnDefinition = { type: 'int' };
const bigint: ColumnDefinition = { type: 'bigint' };
const boolean: ColumnDefinition = { type: 'boolean' };
const text: ColumnDefinition = { type: 'text' };
/** Keeps a text as it is, however long. */
const json: ColumnDefinition = { type: 'json' };
const varchar = (length: number): ColumnDefinition => ({ type: 'varchar', length });
const optional = (column: ColumnDefinition): ColumnDefinition => ({ ...column, nullable: true });

function table(
  name: string,
  columns: TableDefinition['columns'],
  indexes: readonly IndexDefinition[] = [],
  primaryKey: readonly string[] = Object.keys(columns).slice(0, 1),
): TableDefinition {
  return { name, columns, primaryKey, indexes };
}

/** The tables of the durable strategy. */
export const OUTBOX_TABLES = {
  messages: table(
    'thorn_messages',
    {
      id: uuid,
      given_id: optional(varchar(64)),
      event: varchar(256),
      time: bigint,
      sequence: optional(bigint),
      owner: optional(varchar(255)),
      audience: varchar(16),
      ref: optional(text),
      headers: text,
      settings: text,
      recipients: json,
      body: optional(json),
      order_key: optional(varchar(255)),
      traceparent: optional(varchar(55)),
      tracestate: optional(varchar(512)),
      position: optional(bigint),
    },
    [{ columns: ['time'] }, { columns: ['position', 'id'], where: 'position IS NOT NULL' }],
  ),
  pendingMessages: table(
    'thorn_pending_messages',
    {
      id: uuid,
      key_hash: optional(uuid),
      sequence: optional(bigint),
      due_at: bigint,
      lease: optional(varchar(40)),
    },
    [{ columns: ['due_at'] }, { columns: ['key_hash', 'sequence'], where: 'key_hash IS NOT NULL' }],
  ),
  deliveries: table(
    'thorn_deliveries',
    {
      id: uuid,
      message_id: uuid,
      subscriber_id: uuid,
      key_hash: optional(uuid),
      queue_position: optional(bigint),
      due_at: optional(bigint),
      permit_at: optional(bigint),
      attempted_at: optional(bigint),
      finished_at: optional(bigint),
      started_at: optional(bigint),
      attempts: int,
      throttled: int,
      requests: int,
      duration: optional(int),
      response_status: optional(int),
      given_message_id: optional(varchar(64)),
      given_subscriber_id: optional(varchar(64)),
      event: varchar(256),
      status: varchar(16),
      reason: optional(varchar(16)),
      host: optional(varchar(320)),
      lease: optional(varchar(40)),
      error_code: optional(varchar(32)),
      error_message: optional(text),
      response: optional(text),
      address: optional(varchar(64)),
      answer_headers: optional(text),
    },
    [
      { columns: ['subscriber_id', 'id'] },
      { columns: ['subscriber_id', 'due_at', 'permit_at'], where: 'due_at IS NOT NULL' },
      { columns: ['reason', 'id'], where: 'reason IS NOT NULL' },
      { columns: ['due_at', 'permit_at'], where: 'due_at IS NOT NULL' },
      { columns: ['host', 'due_at'], where: 'host IS NOT NULL' },
      {
        columns: ['key_hash', 'subscriber_id', 'queue_position'],
        unique: true,
        where: 'key_hash IS NOT NULL',
      },
    ],
  ),
  attempts: table(
    'thorn_attempts',
    {
      delivery_id: uuid,
      number: int,
      started_at: bigint,
      duration: int,
      status: optional(int),
      error_code: optional(varchar(32)),
      error_message: optional(text),
      response: optional(text),
      address: optional(varchar(64)),
      answer_headers: optional(text),
    },
    [],
    ['delivery_id', 'number'],
  ),
  health: table('thorn_health', {
    subscriber_id: varchar(64),
    failing_since: bigint,
    failing_messages: int,
    token: varchar(40),
  }),
  rateLimits: table('thorn_rate_limits', {
    subscriber_id: varchar(64),
    state: text,
    kept_until: bigint,
  }),
  sequences: table('thorn_sequences', { id: uuid, sequence: bigint }),
  bulkOperations: table('thorn_bulk_operations', { subscriber_id: uuid, expires_at: bigint }, [
    { columns: ['expires_at'] },
  ]),
  pauses: table('thorn_pauses', { host: varchar(320), paused_at: bigint }),
};

/** The table of subscribers. */
export const SUBSCRIBERS = table(
  'thorn_subscribers',
  {
    id: varchar(64),
    owner: optional(varchar(255)),
    url: varchar(2048),
    events: text,
    exclude: text,
    filter: optional(text),
    rate_max: optional(int),
    rate_per: optional(int),
    ordered: boolean,
    on_exhausted: varchar(16),
    hold_for: optional(int),
    content_type: varchar(255),
    digest: varchar(16),
    secrets: text,
    enabled: boolean,
    verification: varchar(16),
    expires_at: optional(bigint),
    expired_at: optional(bigint),
    unique_key: optional(varchar(255)),
    key_hash: optional(varchar(64)),
    format: optional(varchar(32)),
    description: optional(varchar(1000)),
    metadata: text,
    revision: int,
    owner_slot: optional(varchar(64)),
    host_slot: optional(varchar(64)),
    created_at: bigint,
    updated_at: bigint,
  },
  [
    { columns: ['owner', 'id'] },
    { columns: ['updated_at', 'revision'] },
    { columns: ['owner_slot'], unique: true },
    { columns: ['host_slot'], unique: true },
    { columns: ['key_hash'], unique: true },
    { columns: ['expired_at', 'expires_at'], where: 'expires_at IS NOT NULL' },
  ],
);

/** The table of the REST API. */
export const IDEMPOTENCY_KEYS = table(
  'thorn_idempotency_keys',
  {
    id: varchar(64),
    fingerprint: varchar(64),
    answer: optional(text),
    expires_at: bigint,
  },
  [{ columns: ['expires_at'] }],
);

/** The table of links to the page. */
export const PORTAL_LINKS = table(
  'thorn_portal_links',
  {
    id: varchar(64),
    secret_hash: varchar(64),
    owner: varchar(255),
    capabilities: varchar(64),
    created_at: bigint,
    used_at: optional(bigint),
    expires_at: bigint,
  },
  [{ columns: ['secret_hash'], unique: true }, { columns: ['owner'] }, { columns: ['expires_at'] }],
);

/** Every table of the sender. */
export const THORN_TABLES: readonly TableDefinition[] = [
  SUBSCRIBERS,
  IDEMPOTENCY_KEYS,
  PORTAL_LINKS,
  ...Object.values(OUTBOX_TABLES),
];

/** The table of receivers: messages, and keys whose messages are handled in their order. */
export const RECEIVED_MESSAGES = table(
  'thorn_received_messages' satisfies typeof RECEIVER_TABLE,
  {
    hash: varchar(64),
    sequence: bigint,
    token: varchar(40),
    leased_until: bigint,
    kept_until: bigint,
  },
  [{ columns: ['kept_until'] }],
);
