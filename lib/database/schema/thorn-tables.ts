import type { CHANGES_TABLE, RECEIVER_TABLE } from '../sql-client.js';
import type {
  ColumnDefinition,
  ColumnDefinitions,
  IndexDefinition,
  TableDefinition,
} from './table-definition.js';

const uuid = { type: 'uuid' } as const;
const int = { type: 'int' } as const;
const bigint = { type: 'bigint' } as const;
const boolean = { type: 'boolean' } as const;
const text = { type: 'text' } as const;
/** Keeps a text as it is, however long. */
const json = { type: 'json' } as const;
const varchar = (length: number) => ({ type: 'varchar', length }) as const;
const optional = <Column extends ColumnDefinition>(column: Column) =>
  ({ ...column, nullable: true }) as const;

function table<const Columns extends ColumnDefinitions>(
  name: string,
  columns: Columns,
  indexes: readonly IndexDefinition<keyof Columns & string>[] = [],
  primaryKey: readonly (keyof Columns & string)[] = Object.keys(columns).slice(0, 1),
): TableDefinition<Columns> {
  return { name, columns, primaryKey, indexes };
}

/** The answer to an attempt, or its error: the last columns of each table that stores attempts. */
export const ANSWER_COLUMNS = {
  error_code: optional(varchar(32)),
  error_message: optional(text),
  response: optional(text),
  address: optional(varchar(64)),
  answer_headers: optional(text),
};

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
      subject: optional(varchar(255)),
      headers: text,
      settings: text,
      recipients: json,
      body: optional(json),
      order_key: optional(varchar(255)),
      traceparent: optional(varchar(55)),
      tracestate: optional(varchar(512)),
      position: optional(bigint),
    },
    [
      { columns: ['time'] },
      { columns: ['subject', 'time'], where: 'subject IS NOT NULL' },
      { columns: ['position', 'id'], where: 'position IS NOT NULL' },
    ],
  ),
  /**
   * A row of `thorn_pending_messages`: a message some of whose deliveries have no row yet. Written by the process that sends, and
   * by the worker that claims the message. Deleted when each delivery has a row.
   *
   * So the row of the message, which holds the body, is written once.
   */
  pendingMessages: table(
    'thorn_pending_messages',
    {
      id: uuid,
      // Until ordered subscribers have their deliveries; null without a key.
      key_hash: optional(uuid),
      sequence: optional(bigint),
      // From then on any process may claim the message: while a process holds it, the end of the lease.
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
      ...ANSWER_COLUMNS,
    },
    [
      { columns: ['subscriber_id', 'id'] },
      { columns: ['subscriber_id', 'due_at'], where: 'due_at IS NOT NULL' },
      { columns: ['reason', 'id'], where: 'reason IS NOT NULL' },
      { columns: ['due_at'], where: 'due_at IS NOT NULL' },
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
      ...ANSWER_COLUMNS,
    },
    [],
    ['delivery_id', 'number'],
  ),
  /**
   * A row of `thorn_health`: a subscriber whose attempts have only failed for a while. Written by workers. Deleted by the next
   * success, or when the subscriber is disabled.
   *
   * A subscriber without failures has no row, so that the table stays small and a success costs nothing.
   */
  health: table('thorn_health', {
    subscriber_id: varchar(64),
    failing_since: bigint,
    failing_messages: int,
    // The greatest of 50, 75 and 90 percent that was told since; 0 before.
    announced: int,
    // Replaced by every write: of two processes that have read the same row, one has to read it again.
    token: varchar(40),
  }),
  /**
   * A row of `thorn_subscriber_changes`: a change of a subscriber, for the audit and to be told.
   * Written by the REST API, `Subscribers` and workers, in the transaction of the change. Deleted by workers, `retentionDays`
   * after the change.
   */
  subscriberChanges: table(
    'thorn_subscriber_changes',
    {
      /** The id, with its prefix `chg_`. It begins with its time. */
      id: varchar(64),
      /** The id of the subscriber. */
      subscriber_id: varchar(64),
      /** The owner of the subscriber; null for the application's own. */
      owner: optional(varchar(255)),
      /** Host and port of its URL. */
      host: varchar(320),
      /**
       * The place among the changes of the subscriber, in the order of commits. Changes of one moment may share it; their ids
       * tell them apart.
       */
      number: bigint,
      /** `created`, `changed`, `removed`, `failing`, `disabled`, `recovered` or `expired`. */
      kind: varchar(16),
      /** The time of the change. */
      changed_at: bigint,
      /** Who did it. */
      changed_by: varchar(255),
      /** JSON: the names of the fields that have changed, without values. */
      fields: text,
      /** JSON: the figures of the last failures; null where there are none. */
      figures: optional(text),
      /** The time from which a worker tells it to `notify`; null when it is told, given up, or nobody is to be told. */
      due_at: optional(bigint),
      /** How often a worker has begun to tell it. */
      tries: int,
      /** The time at which it was told; null before. */
      told_at: optional(bigint),
    },
    [
      { columns: ['subscriber_id', 'number', 'id'] },
      { columns: ['due_at'], where: 'due_at IS NOT NULL' },
    ],
  ),
  /**
   * A row of `thorn_rate_limits`: of a subscriber with a limit, when its next attempt may begin.
   * Written by workers. Deleted by workers, a day after its times.
   */
  rateLimits: table('thorn_rate_limits', {
    subscriber_id: uuid,
    next_at: bigint,
    // Deliveries that wait for the limit are due before this time.
    queued_until: bigint,
  }),
  /**
   * A row of `thorn_sequences`: the latest number of a key's messages. Written by the process that sends. Never deleted.
   *
   * A transaction that sends such messages holds the row until its end, so that numbers follow commits.
   */
  sequences: table('thorn_sequences', { id: uuid, sequence: bigint }),
  /**
   * A row of `thorn_bulk_operations`: a subscriber for which `retryFailed()` or `backfill()` is under way, and which of
   * the two. Written by the process that runs the operation. Deleted at its end, or by workers after `expires_at`.
   *
   * The ordered deliveries of the subscriber get no turn meanwhile. Every batch puts `expires_at` off.
   */
  bulkOperations: table(
    'thorn_bulk_operations',
    { subscriber_id: uuid, operation: varchar(16), expires_at: bigint },
    [{ columns: ['expires_at'] }],
    ['subscriber_id', 'operation'],
  ),
  /**
   * A row of `thorn_pauses`: a host that an operator lets nothing be sent to, or `*` for all.
   * Written by the operator API. Deleted when the pause is ended.
   */
  pauses: table('thorn_pauses', { host: varchar(320), paused_at: bigint }),
  /**
   * A row of `thorn_captured_tables`: a table whose triggers report changes of its rows. Written by each process that
   * declares its events, by the process that stores a subscriber, and by workers. Never deleted.
   *
   * Triggers write a change where `heard` is true: somebody may get an event of the table.
   */
  capturedTables: table('thorn_captured_tables', {
    name: varchar(255),
    heard: boolean,
    // The names of its events as they are declared, as JSON.
    events: text,
  }),
  /**
   * A row of `thorn_leases`: work that one process at a time does, such as reading `thorn_changes`. Written by workers, and
   * by the process that stores a subscriber. Never deleted.
   */
  leases: table('thorn_leases', {
    name: varchar(64),
    lease: optional(varchar(40)),
    due_at: bigint,
    // Raised by each subscriber that may hear changes of tables.
    revision: bigint,
  }),
};

/**
 * A row of `thorn_changes`: a change of one row of a table with [table events](../events/tables.md). Written by the triggers
 * of the table, in the transaction of the change. Deleted when a worker has made its messages.
 *
 * It has no index but its primary key: an index would make each write to the table slower.
 */
export const CHANGES = table('thorn_changes' satisfies typeof CHANGES_TABLE, {
  id: { type: 'bigint', generated: true } as const,
  // The transaction, on PostgreSQL.
  tx: optional(bigint),
  source: varchar(255),
  old_row: optional(json),
  new_row: optional(json),
  // Why no message can be made of it.
  fault: optional(text),
  failed_at: optional(bigint),
});

/**
 * A row of `thorn_subscribers`: a subscriber. Written by the REST API, `Subscribers` and, to disable a
 * subscriber, by workers. Deleted by its owner.
 *
 * The columns that hold lists are JSON text, so that all databases store them alike.
 */
export const SUBSCRIBERS = table(
  'thorn_subscribers',
  {
    /** The id, with its prefix `sub_`. */
    id: varchar(64),
    /** The owner; null for the application's own. */
    owner: optional(varchar(255)),
    /** The URL of the endpoint. */
    url: varchar(2048),
    /** JSON: patterns of the events that it gets. */
    events: text,
    /** JSON: patterns of the events that it does not get. */
    exclude: text,
    /** JSON: a condition, or null. */
    filter: optional(text),
    /** JSON: names of fields, one of which must have changed; null for any message. */
    changed: optional(text),
    /** JSON: paths of `data` that bodies have; null for all of it. */
    fields: optional(text),
    /** True: bodies have no data but the URL at which it can be fetched; null as false. */
    thin: optional(boolean),
    /** JSON in which `{{path}}` stands for values; null for the body of the message. */
    template: optional(text),
    /** Attempts that it gets in `rate_per`; null for any number. */
    rate_max: optional(int),
    /** Milliseconds; null together with `rate_max`. */
    rate_per: optional(int),
    /** True: messages of the same key go one after another. */
    ordered: boolean,
    /** After a delivery that failed for good: `skip` or `hold`. */
    on_exhausted: varchar(16),
    /** Milliseconds for which a failed delivery holds its key; null for no end. */
    hold_for: optional(int),
    /** The media type of bodies. */
    content_type: varchar(255),
    /** The digest of `Hook-HMAC`: `sha1`, `sha256` or `sha512`. */
    digest: varchar(16),
    /** JSON: a list of `Secret`. */
    secrets: text,
    /** JSON: an object of headers that its requests carry, sealed like `secrets`; null for none. */
    headers: optional(text),
    /** JSON: an `EndpointAuth`, sealed like `secrets`; null for none. */
    auth: optional(text),
    /** Milliseconds that a request may take; null for those of the event or the module. */
    timeout: optional(int),
    /** False: nothing is sent to it. */
    enabled: boolean,
    /** `none`, `pending` or `verified`. */
    verification: varchar(16),
    /** Its end; null for none. */
    expires_at: optional(bigint),
    /** The time at which its end was told; null before. */
    expired_at: optional(bigint),
    /** The key that its creation named; null for none. */
    unique_key: optional(varchar(255)),
    /**
     * A hash of `owner` and `unique_key`.
     *
     * Unique, so that of two creations at once one row remains.
     */
    key_hash: optional(varchar(64)),
    /** The format of its requests; null for the standard one. */
    format: optional(varchar(32)),
    /** A text of the owner. */
    description: optional(varchar(1000)),
    /** JSON: an object of texts. */
    metadata: text,
    /**
     * A random number that every write replaces, by which other processes see the change. Set another number when you edit
     * a row by hand.
     *
     * The sum over all rows shows that something has changed, independent of clocks and of the length of transactions.
     */
    revision: int,
    /** The number of the latest of its changes in `thorn_subscriber_changes`; null before the first. */
    changes: optional(bigint),
    /**
     * The slot among the owner's subscribers.
     *
     * Unique, so that the limit holds for concurrent creations.
     */
    owner_slot: optional(varchar(64)),
    /** As `owner_slot`, among those of its owner and host. */
    host_slot: optional(varchar(64)),
    /** The time of its creation. */
    created_at: bigint,
    /** The time of the latest change. */
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

/**
 * A row of `thorn_idempotency_keys`: a request to the REST API that came with a key, and its answer. In the first
 * data source. Written by the REST API. Deleted a day later.
 */
export const IDEMPOTENCY_KEYS = table(
  'thorn_idempotency_keys',
  {
    id: varchar(64),
    // A hash of the key and the body.
    fingerprint: varchar(64),
    // Sealed like secrets, since some answers show one; null while the request is under way.
    answer: optional(text),
    expires_at: bigint,
  },
  [{ columns: ['expires_at'] }],
);

/**
 * A row of `thorn_portal_links`: a link to the page for one owner, and the session that it was exchanged for. In the first
 * data source. Written by `Portal` and the page. Deleted after it has expired, with the next link.
 */
export const PORTAL_LINKS = table(
  'thorn_portal_links',
  {
    id: varchar(64),
    // Of the code, and once that is used, of the session's token: so is the end.
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
  CHANGES,
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
