import { writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../lib/database/dialect.js';
import { SchemaSql } from '../../lib/database/schema/schema-sql.js';
import {
  CHANGES,
  IDEMPOTENCY_KEYS,
  OUTBOX_TABLES,
  PORTAL_LINKS,
  RECEIVED_MESSAGES,
  SUBSCRIBERS,
} from '../../lib/database/schema/thorn-tables.js';
import * as captured from '../../lib/database/triggers/captured-table-statements.js';
import * as changesLease from '../../lib/database/triggers/changes-lease.js';
import * as keys from '../../lib/idempotency/idempotency-statements.js';
import * as links from '../../lib/portal/link-statements.js';
import * as received from '../../lib/receiver/processing/received-statements.js';
import type { SubscriberRow } from '../../lib/subscriber/model/field-kinds.js';
import type { OutboxStore } from '../../lib/outbox/store/outbox-store.js';
import * as attempts from '../../lib/outbox/tables/attempts.js';
import * as bulkOperations from '../../lib/outbox/tables/bulk-operations.js';
import * as changes from '../../lib/outbox/tables/changes.js';
import * as deliveries from '../../lib/outbox/tables/deliveries.js';
import * as log from '../../lib/outbox/tables/delivery-log.js';
import * as health from '../../lib/outbox/tables/health-table.js';
import * as leases from '../../lib/outbox/tables/leases.js';
import * as messages from '../../lib/outbox/tables/messages.js';
import * as pauses from '../../lib/outbox/tables/pauses.js';
import * as pending from '../../lib/outbox/tables/pending-messages.js';
import * as limits from '../../lib/outbox/tables/rate-limits.js';
import * as sequences from '../../lib/outbox/tables/sequences.js';
import * as audit from '../../lib/subscriber/storage/audit-statements.js';
import * as subscribers from '../../lib/subscriber/storage/subscriber-statements.js';
import { ThornSubscriber } from '../../lib/subscriber/index.js';
import { Article, openOutboxApp, type OutboxApp } from '../support/apps/outbox-app.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import {
  analyzeTables,
  insertDueDeliveries,
  insertDueMessages,
} from '../support/seed-due-deliveries.js';

const ROWS = 20_000;
const NOW = 1_800_000_000_000;
/** An early time: of many rows, few have expired by then. */
const FIRST = 50;
const HOSTS = Array.from({ length: 20 }, (_, at) => `host-${at}.example:80`);
const ID = '01890000-0000-7000-8000-000000000001';
const DELIVERY = `dlv_${ID}`;
const MESSAGE = `msg_${ID}`;
const SUBSCRIBER = 'sub_01890000-0000-7000-8000-000000000002';
const KEY = '01890000-0000-5000-8000-000000000003';
const LEASE = { token: 'own', leasedUntil: NOW + 10_000 };
const SHARES = [{ host: HOSTS[0]!, limit: 10 }];
const QUEUE = { keyHash: KEY, subscriberId: ID };
const ENTERING = {
  ...{ id: ID, message_id: ID, subscriber_id: ID, given_message_id: null, event: 'a.b' },
  ...{ given_subscriber_id: null, host: HOSTS[0]!, key_hash: KEY, sequence: 1, held_by: 'own' },
  ...{ queue_position: 0, due_at: NOW, lease: 'own' },
};
const ORDER = { keyHash: KEY, sequence: 1 };
const REQUEUED = { id: DELIVERY, host: HOSTS[0]!, dueAt: NOW, order: ORDER };
const BACKFILLED = {
  ...REQUEUED,
  ...{ messageId: MESSAGE, subscriberId: SUBSCRIBER, event: 'a.b' },
};
const CURSOR = { id: MESSAGE, time: NOW };
const HELD = [{ id: MESSAGE, token: 'own' }];
const PENDING = [{ id: MESSAGE, keyHash: KEY, sequence: 1 }];
const PLACE = { position: 1, key: ID };
const RANGE = { from: undefined, before: DELIVERY };
const NEW_CHANGE: audit.NewChangeRow = {
  ...{ id: 'chg_1', subscriber_id: 'sub_1', owner: null, host: 'x', kind: 'created' },
  ...{ changed_at: NOW, changed_by: 'x', fields: '[]', figures: null },
  ...{ due_at: NOW, tries: 0, told_at: null },
};
const OF_SUBSCRIBER: log.LogCondition = {
  sql: 'd.subscriber_id = ?',
  parameters: [ID],
  column: 'subscriber_id',
};
const FAILED = {
  ...{ subscriber: SUBSCRIBER, from: `dlv_${ID}`, before: `dlv_${ID}`, after: `dlv_${ID}` },
  ...{ limit: 100, now: NOW },
};
const FAILING = {
  ...{
    subscriber_id: SUBSCRIBER,
    failing_since: NOW,
    failing_messages: 1,
    announced: 0,
    token: 'new',
  },
  token_before: 'old',
};
const LIMIT = { subscriber_id: ID, next_at: NOW, queued_until: NOW };

/** A late one: few are behind it. */
const LAST_CHANGE = String(ROWS - 10);
const KEY_COUNT = { id: KEY, count: 2 };
const OF_TABLE = { table: { name: 'articles', key: ['id'], omit: [] }, ids: ['1'] };
const MARK = { subscriberId: ID, operation: 'backfill' } as const;
const BEGUN = { fingerprint: 'other', expires_at: NOW };
const EXPIRED = { id: 'key_1', answer: null, ...BEGUN };
const LINK = {
  ...{ id: 'lnk', secret_hash: 'new', owner: 'owner_1', capabilities: 'read' },
  ...{ created_at: NOW, used_at: null, expires_at: NOW },
};
const RECEIVED = { hash: 'hash_1', sequence: 1, token: 'own', leased_until: NOW, kept_until: NOW };

type Built = Statement | readonly Statement[];
type Build = (store: OutboxStore) => Built;

/** One row of a statement over many: an id in each column that has one. */
function one(columns: object): unknown[] {
  return Object.values(columns).map((kind) => (kind === 'uuid' ? ID : null));
}

const leased = ({ dialect, tables }: OutboxStore): leases.LeasedTable => ({
  dialect,
  table: tables.pendingMessages,
  prefix: 'msg_',
});

const subscriberTable = ({ database }: OutboxStore) => database.table('thorn_subscribers');
const changesTable = ({ tables }: OutboxStore) => tables.subscriberChanges;

const NEW_SUBSCRIBER = Object.fromEntries(
  Object.keys(SUBSCRIBERS.columns).map((column) => [column, null]),
) as unknown as SubscriberRow;

const OWNERS_PAGE: subscribers.PageQuery = {
  ...{ scope: { owner: 'owner_1' }, after: 'sub_1', end: null },
};

const changed = ({ dialect, database }: OutboxStore): changes.ChangesTarget => ({
  dialect,
  table: database.table(CHANGES.name),
});

const receiver = ({ dialect }: OutboxStore): received.ReceivedTarget => ({
  dialect,
  table: RECEIVED_MESSAGES.name,
});

/** Each statement, as workers and reports ask it, by the file that has it. */
const STATEMENTS: Readonly<Record<string, Readonly<Record<string, Build>>>> = {
  deliveries: {
    selectNextDue: (store) => deliveries.selectNextDue(store),
    selectFirstDues: (store) => deliveries.selectFirstDues(store, '', 256),
    claimDue: (store) => deliveries.claimDue(store, SHARES, LEASE, NOW),
    selectDue: (store) => deliveries.selectDue(store, SHARES, NOW),
    selectWaitingOf: (store) => deliveries.selectWaitingOf(store, SUBSCRIBER, 100),
    failById: (store) => deliveries.failById(store, [ID], { reason: 'disabled', now: NOW }),
    cancelById: (store) => deliveries.cancelById(store, DELIVERY, NOW),
    bringForwardById: (store) => deliveries.bringForwardById(store, [ID], NOW),
    dissolveById: (store) => deliveries.dissolveById(store, [ID], NOW),
    selectRetriesSoonDue: (store) =>
      deliveries.selectRetriesSoonDue(store, HOSTS[0]!, NOW, NOW, 100),
    selectBlockedOf: (store) => deliveries.selectBlockedOf(store, SUBSCRIBER, 100),
    selectTurns: (store) => deliveries.selectTurns(store, [ENTERING], NOW),
    insertEntering: (store) => deliveries.insertEntering(store, [ENTERING]),
    selectLeased: (store) => deliveries.selectLeased(store, [ID], 'own'),
    selectHeads: (store) => deliveries.selectHeads(store, [QUEUE], NOW),
    giveTurnById: (store) => deliveries.giveTurnById(store, [ID], LEASE, NOW),
    selectQueuesOfKeys: (store) =>
      deliveries.selectQueuesOfKeys(store, [{ key_hash: KEY, last_id: ID }]),
    selectQueuesBehind: (store) => deliveries.selectQueuesBehind(store, QUEUE, 100),
    selectQueuesOfSubscriber: (store) => deliveries.selectQueuesOfSubscriber(store, ID, null, 100),
    endHoldById: (store) => deliveries.endHoldById(store, [DELIVERY], NOW),
    insertOutcomes: (store) => deliveries.insertOutcomes(store).statements([one(deliveries.NEW)]),
    updateOutcomes: (store) =>
      deliveries.updateOutcomes(store, deliveries.TRIED).statements([one(deliveries.TRIED)]),
    countByMessage: (store) => deliveries.countByMessage(store, [CURSOR]),
    selectPairsOf: (store) => deliveries.selectPairsOf(store, [CURSOR]),
    selectOver: (store) => deliveries.selectOver(store, [CURSOR], NOW, 100, true),
    selectNotOver: (store) => deliveries.selectNotOver(store, [CURSOR], NOW),
    deleteOver: (store) => deliveries.deleteOver(store, [ID]),
    dropFirstAnswers: (store) => deliveries.dropFirstAnswers(store, [ID]),
    reopenById: (store) => deliveries.reopenById(store, [REQUEUED], true),
    insertBackfilled: (store) => deliveries.insertBackfilled(store, [BACKFILLED]),
    selectBackfilled: (store) => deliveries.selectBackfilled(store, [BACKFILLED]),
  },
  'delivery-log': {
    selectDelivery: (store) => log.selectDelivery(store, DELIVERY),
    selectTurn: (store) => log.selectTurn(store, { key_hash: KEY, subscriber_id: ID }),
    selectReasons: (store) => log.selectReasons(store, [DELIVERY]),
    selectNewest: (store) => log.selectNewest(store, [OF_SUBSCRIBER], [], RANGE, 20, 20),
    selectLowestId: (store) => log.selectLowestId(store, [OF_SUBSCRIBER], RANGE, 1000),
    countWaiting: (store) => log.countWaiting(store, { sql: 'd.due_at > 0', parameters: [] }, 2000),
    countAttempts: (store) => log.countAttempts(store, [OF_SUBSCRIBER], [], RANGE, 3_600_000),
    countDeliveries: (store) =>
      log.countDeliveries(store, OF_SUBSCRIBER, RANGE, [
        { bucket: 0, low: DELIVERY, high: DELIVERY },
      ]),
    countRateLimited: (store) => log.countRateLimited(store, OF_SUBSCRIBER, NOW),
    countStates: (store) => log.countStates(store, NOW),
    summarizeDeliveries: (store) => log.summarizeDeliveries(store, [CURSOR], 3000),
    selectFailedEnd: (store) => log.selectFailedEnd(store, FAILED, 5000),
    selectFailed: (store) => log.selectFailed(store, FAILED, undefined),
  },
  attempts: {
    selectAttempts: (store) => attempts.selectAttempts(store, DELIVERY),
    insertAttempts: (store) =>
      attempts.insertAttempts(store).statements([one(attempts.TRIED_AGAIN)]),
    deleteAttemptsOf: (store) => attempts.deleteAttemptsOf(store, [ID]),
    dropAnswersOf: (store) => attempts.dropAnswersOf(store, [ID]),
  },
  messages: {
    insertMessages: (store) =>
      messages.insertMessages(store, [
        messages.MESSAGE_COLUMNS.map((name) => (name === 'id' ? ID : null)),
      ]),
    deleteMessages: (store) => messages.deleteMessages(store, [MESSAGE]),
    renumberMessages: (store) => messages.renumberMessages(store, [{ id: ID, sequence: 1 }]),
    selectMessages: (store) => messages.selectMessages(store, [MESSAGE]),
    selectStored: (store) => messages.selectStored(store, [MESSAGE]),
    selectOrders: (store) => messages.selectOrders(store, [MESSAGE]),
    selectSubjects: (store) => messages.selectSubjects(store, [MESSAGE]),
    selectAbout: (store) => messages.selectAbout(store, 'order-7', 0, NOW, 20),
    selectTime: (store) => messages.selectTime(store, MESSAGE),
    selectMessagesBehind: (store) => messages.selectMessagesBehind(store, CURSOR, NOW, 500),
    selectOldMessages: (store) => messages.selectOldMessages(store, CURSOR, NOW, 200),
    selectNewestMessages: (store) => messages.selectNewestMessages(store, 'ann', 100),
    deleteFinished: (store) => messages.deleteFinished(store, [ID]),
    dropBodies: (store) => messages.dropBodies(store, [ID]),
    selectRecipients: (store) => messages.selectRecipients(store, null, 200),
    updateRecipients: (store) =>
      messages.updateRecipients(store, MESSAGE, { stored: '[]', sealed: '""' }),
    selectHorizon: (store) => messages.selectHorizon(store, 1000),
    selectHistoryEnd: (store) => messages.selectHistoryEnd(store, 1000),
    selectHistory: (store) => messages.selectHistory(store, PLACE, NOW, 100),
    selectPlaces: (store) => messages.selectPlaces(store, PLACE, NOW, 100),
  },
  'pending-messages': {
    insertPending: (store) => pending.insertPending(store, PENDING, LEASE),
    claimPending: (store) => pending.claimPending(store, LEASE, NOW, 100),
    selectDuePending: (store) => pending.selectDuePending(store, NOW, 100),
    takePendingOver: (store) => pending.takePendingOver(store, HELD, LEASE),
    selectTakenOver: (store) => pending.selectTakenOver(store, HELD, 'own'),
    selectClaimed: (store) => pending.selectClaimed(store, [ID]),
    clearKeyById: (store) => pending.clearKeyById(store, [{ id: ID, lease: 'own' }]),
    renumberPending: (store) => pending.renumberPending(store, [{ id: ID, sequence: 1 }]),
    finishPending: (store) =>
      pending.finishPending(store, 'rows').statements([[ID, 'own', ID, ID, 1]]),
    postponePending: (store) => pending.postponePending(store).statements([[ID, 'own', NOW]]),
  },
  leases: {
    leasePicked: (store) => leases.leasePicked(leased(store), [ID], LEASE),
    putOff: (store) => leases.putOff(leased(store), HELD, NOW, true),
    selectHeld: (store) => leases.selectHeld(leased(store), HELD),
    deleteHeld: (store) => leases.deleteHeld(leased(store), HELD),
    deleteWithHeld: (store) => leases.deleteWithHeld(leased(store), store.tables.messages, HELD),
  },
  'health-table': {
    selectHealth: (store) => health.selectHealth(store, [SUBSCRIBER]),
    selectFailing: (store) => health.selectFailing(store, 100),
    countFailing: (store) => health.countFailing(store, 1000),
    insertFailing: (store) => health.insertFailing(store, [FAILING]),
    updateFailing: (store) => health.updateFailing(store, [FAILING]),
    deleteWell: (store) => health.deleteWell(store, [FAILING]),
  },
  'rate-limits': {
    selectLimits: (store) => limits.selectLimits(store, [ID]),
    updateLimits: (store) => limits.updateLimits(store, [LIMIT]),
    insertLimits: (store) => limits.insertLimits(store, [LIMIT]),
    deleteOldLimits: (store) => limits.deleteOldLimits(store, NOW),
  },
  sequences: {
    allocateNumbers: (store) => sequences.allocateNumbers(store, [KEY_COUNT]),
    selectNumbers: (store) => sequences.selectNumbers(store, [KEY]),
    takeNumbersBack: (store) => sequences.takeNumbersBack(store, [KEY_COUNT]),
  },
  changes: {
    selectOldestChanges: (store) => changes.selectOldestChanges(changed(store), ['articles'], 1000),
    selectFurtherChanges: (store) =>
      changes.selectFurtherChanges(changed(store), ['articles'], [OF_TABLE], LAST_CHANGE, ['1']),
    countFurtherChanges: (store) => changes.countFurtherChanges(changed(store), LAST_CHANGE, ['1']),
    selectRepeatedChange: (store) =>
      changes.selectRepeatedChange(changed(store), OF_TABLE.table, '1'),
    deleteChanges: (store) => changes.deleteChanges(changed(store), ['1']),
    failChanges: (store) => changes.failChanges(changed(store), ['1'], 'fault', NOW),
    retryChanges: (store) => changes.retryChanges(changed(store)),
    countChanges: (store) => changes.countChanges(changed(store)),
    selectOtherSources: (store) => changes.selectOtherSources(changed(store), ['articles'], 20),
  },
  'captured-table-statements': {
    selectTables: ({ database }) => captured.selectTables(database),
    insertTable: ({ database }) => captured.insertTable(database, 'articles', '[]'),
    updateEvents: ({ database }) => captured.updateEvents(database, 'articles', '[]'),
    updateHeard: ({ database }) => captured.updateHeard(database, ['articles']),
    silenceTable: ({ database }) => captured.silenceTable(database, 'articles'),
    lockShared: ({ database }) => captured.lockShared(database, ['articles']),
    lockToHear: ({ database }) => captured.lockToHear(database, ['articles']),
    lockToSilence: ({ database }) => captured.lockToSilence(database, 'articles'),
    limitLockTime: () => captured.limitLockTime(),
    lockWriters: () => captured.lockWriters(['articles']),
  },
  subscribers: {
    selectById: (store) => subscribers.selectById(subscriberTable(store), 'sub_1'),
    selectByKeyHash: (store) => subscribers.selectByKeyHash(subscriberTable(store), 'hash'),
    selectEvents: (store) => subscribers.selectEvents(subscriberTable(store), 'sub_1'),
    insert: (store) => subscribers.insert(subscriberTable(store), NEW_SUBSCRIBER),
    update: (store) => subscribers.update(subscriberTable(store), 'sub_1', { enabled: 0 }, 1),
    remove: (store) => subscribers.remove(subscriberTable(store), 'sub_1', 1),
    selectEnded: (store) => subscribers.selectEnded(subscriberTable(store), NOW, 100),
    noteEnd: (store) => subscribers.noteEnd(subscriberTable(store), 'sub_1', NOW),
    selectToldBefore: (store) => subscribers.selectToldBefore(subscriberTable(store), NOW, 100),
    removeToldBefore: (store) => subscribers.removeToldBefore(subscriberTable(store), 'sub_1', NOW),
    selectByIds: (store) => subscribers.selectByIds(subscriberTable(store), ['sub_1', 'sub_2']),
    selectByOwner: (store) => subscribers.selectByOwner(subscriberTable(store), 'owner_1'),
    selectPage: (store) => subscribers.selectPage(subscriberTable(store), OWNERS_PAGE, 50),
    selectIdAt: (store) => subscribers.selectIdAt(subscriberTable(store), OWNERS_PAGE, 50),
    selectIds: (store) => subscribers.selectIds(subscriberTable(store), OWNERS_PAGE.scope),
    selectOwnersOfDisabled: (store) =>
      subscribers.selectOwnersOfDisabled(subscriberTable(store), OWNERS_PAGE.scope),
    countDisabled: (store) => subscribers.countDisabled(subscriberTable(store)),
    selectShaped: (store) => subscribers.selectShaped(subscriberTable(store), 'thin', 10),
    selectAllAfter: (store) => subscribers.selectAllAfter(subscriberTable(store), 'sub_1', 500),
    selectChangedAfter: (store) =>
      subscribers.selectChangedAfter(subscriberTable(store), 'sub_1', NOW, 500),
    selectRevisionsAfter: (store) =>
      subscribers.selectRevisionsAfter(subscriberTable(store), 'sub_1', 500),
    selectChecksum: (store) => subscribers.selectChecksum(subscriberTable(store)),
  },
  'bulk-operations': {
    renewMark: (store) => bulkOperations.renewMark(store, MARK, NOW),
    insertMark: (store) => bulkOperations.insertMark(store, MARK, NOW),
    deleteMark: (store) => bulkOperations.deleteMark(store, MARK),
    deleteAbandonedMarks: (store) => bulkOperations.deleteAbandonedMarks(store, NOW),
  },
  pauses: {
    selectPauses: ({ tables }) => pauses.selectPauses(tables.pauses),
    insertPause: ({ dialect, tables }) => pauses.insertPause(dialect, tables.pauses, '*', NOW),
    deletePause: ({ tables }) => pauses.deletePause(tables.pauses, '*'),
  },
  'changes-lease': {
    insertChangesLease: ({ database }) => changesLease.insertChangesLease(database),
    selectChangesLease: ({ database }) => changesLease.selectChangesLease(database),
    renewChangesLease: ({ database }) => changesLease.renewChangesLease(database, 'own', NOW),
    takeChangesLease: ({ database }) => changesLease.takeChangesLease(database, 'own', NOW, NOW),
    releaseChangesLease: ({ database }) => changesLease.releaseChangesLease(database, 'own'),
    selectRevision: ({ database }) => changesLease.selectRevision(database),
    raiseRevision: ({ database }) => changesLease.raiseRevision(database),
  },
  'idempotency-statements': {
    selectKey: () => keys.selectKey(IDEMPOTENCY_KEYS.name, 'key_1'),
    insertKey: () => keys.insertKey(IDEMPOTENCY_KEYS.name, 'key_new', BEGUN),
    takeKeyOver: () => keys.takeKeyOver(IDEMPOTENCY_KEYS.name, EXPIRED, BEGUN),
    updateAnswer: () => keys.updateAnswer(IDEMPOTENCY_KEYS.name, 'key_1', '', NOW),
    deleteUnanswered: () => keys.deleteUnanswered(IDEMPOTENCY_KEYS.name, 'key_1'),
    deleteExpiredKeys: () => keys.deleteExpiredKeys(IDEMPOTENCY_KEYS.name, FIRST),
  },
  'link-statements': {
    insertLink: () => links.insertLink(PORTAL_LINKS.name, LINK),
    selectUnusedLink: () => links.selectUnusedLink(PORTAL_LINKS.name, 'hash_1', NOW),
    useLink: () =>
      links.useLink(PORTAL_LINKS.name, 'hash_1', { tokenHash: 'token', now: NOW, until: NOW }),
    selectSession: () => links.selectSession(PORTAL_LINKS.name, 'hash_1', NOW),
    selectLinksOf: () => links.selectLinksOf(PORTAL_LINKS.name, 'owner_1', NOW),
    deleteLink: () => links.deleteLink(PORTAL_LINKS.name, 'lnk_1'),
    deleteLinksOf: () => links.deleteLinksOf(PORTAL_LINKS.name, 'owner_1'),
    deleteExpiredLinks: () => links.deleteExpiredLinks(PORTAL_LINKS.name, FIRST),
  },
  'received-statements': {
    insertReceived: (store) => received.insertReceived(receiver(store), RECEIVED)(),
    selectReceived: (store) => received.selectReceived(receiver(store), 'hash_1'),
    countOwn: (store) => received.countOwn(receiver(store), 'hash_1', 'own'),
    takeReceivedOver: (store) => received.takeReceivedOver(receiver(store), RECEIVED, RECEIVED),
    completeReceived: (store) => received.completeReceived(receiver(store), RECEIVED),
    releaseReceived: (store) => received.releaseReceived(receiver(store), 'hash_1', 'own'),
    deleteExpiredReceived: (store) => received.deleteExpiredReceived(receiver(store), FIRST),
  },
  audit: {
    countChange: (store) => audit.countChange(subscriberTable(store), 'sub_1'),
    insertChanges: (store) =>
      audit.insertChanges(changesTable(store), subscriberTable(store), [NEW_CHANGE]),
    selectChanges: (store) => audit.selectChanges(changesTable(store), 'sub_1', 'chg_f', 51),
    selectDueChanges: (store) => audit.selectDueChanges(changesTable(store), NOW, 50),
    rescheduleChange: (store) =>
      audit.rescheduleChange(
        changesTable(store),
        { id: 'chg_1', dueAt: NOW },
        { due_at: null, told_at: NOW, tries: 1 },
      ),
    // A time before most of the rows: of many, PostgreSQL reads all.
    deleteChangesBefore: (store) => audit.deleteChangesBefore(changesTable(store), 1),
  },
};

/** Functions that make parts of statements or read rows, and statements that run only inside another one. */
const NO_STATEMENTS = new Set([
  ...['parseClaimedRow', 'queueOf', 'attemptValues', 'parseAttemptRow'],
  ...['hasAnswer', 'hasAnswers', 'messageSelection', 'newPosition'],
  ...['HealthTable', 'Leases', 'BulkOperations', 'insertPendingOfStored', 'numberIn'],
  // For MySQL alone.
  ...['selectKnown', 'countLocked'],
]);

/** These go through rows of any kind up to a limit, or through all subscribers, as their comments say. */
const BOUNDED = new Set([
  ...['countStates', 'countWaiting', 'countRateLimited'],
  ...['countDisabled', 'selectChecksum'],
  // These go through all changes: a further index would cost whoever writes tables with triggers.
  ...['selectFurtherChanges', 'selectRepeatedChange', 'retryChanges', 'countChanges'],
  'selectOtherSources',
  // Once, at the start of an application.
  'selectShaped',
]);

const FILES = { deliveries, 'delivery-log': log, attempts, messages, 'pending-messages': pending };
const OTHERS = {
  ...{ leases, 'health-table': health, 'rate-limits': limits, subscribers, pauses, audit },
  ...{ 'bulk-operations': bulkOperations, 'changes-lease': changesLease },
  ...{ sequences, changes, 'captured-table-statements': captured },
  ...{ 'idempotency-statements': keys, 'link-statements': links },
  'received-statements': received,
};

/** Set to print the plans: npm run explain. */
const isPrinted = process.env['THORN_EXPLAIN'] !== undefined;

describe('the statements on PostgreSQL', () => {
  let place: TestDatabase;
  let app: OutboxApp;
  let store: OutboxStore;
  beforeAll(async () => {
    place = await createDatabase('postgres');
    app = await openOutboxApp(place, {
      ...{ worker: false, isLogged: false, entities: [Article, ThornSubscriber] },
    });
    store = app.strategy.store;
    await insertDueDeliveries(app, 'postgres', { count: ROWS, subscriber: 'sub_x', hosts: HOSTS });
    await insertDueMessages(app, 'postgres', ROWS);
    await app.rows(
      'INSERT INTO thorn_attempts (delivery_id, number, started_at, duration) SELECT id, s.n, 1000, 5 FROM thorn_deliveries, generate_series(2, 3) AS s(n)',
    );
    await app.rows(
      `INSERT INTO thorn_subscribers (id, owner, url, events, exclude, ordered, on_exhausted, content_type, digest, secrets, enabled, verification, key_hash, metadata, revision, expires_at, expired_at, created_at, updated_at) SELECT 'sub_' || s.n, 'owner_' || s.n % 2000, 'https://example.com', '[]', '[]', FALSE, 'skip', '', '', '[]', TRUE, '', 'key ' || s.n, '{}', 1, CASE WHEN s.n % 10 = 0 THEN 4000000000000 END, CASE WHEN s.n % 100 = 0 THEN 1 END, s.n, s.n FROM generate_series(1, ${ROWS}) AS s(n)`,
    );
    const sql = new SchemaSql('postgres', {});
    const others = [IDEMPOTENCY_KEYS, PORTAL_LINKS, RECEIVED_MESSAGES, CHANGES];
    for (const statement of sql.create(others, { ifMissing: true })) await app.rows(statement);
    const numbers = `generate_series(1, ${ROWS}) AS s(n)`;
    await app.rows(
      `INSERT INTO thorn_idempotency_keys (id, fingerprint, expires_at) SELECT 'key_' || s.n, '', s.n FROM ${numbers}`,
    );
    await app.rows(
      `INSERT INTO thorn_portal_links (id, secret_hash, owner, capabilities, created_at, expires_at) SELECT 'lnk_' || s.n, 'hash_' || s.n, 'owner_' || s.n % 2000, '', s.n, s.n FROM ${numbers}`,
    );
    await app.rows(
      `INSERT INTO thorn_received_messages (hash, sequence, token, leased_until, kept_until) SELECT 'hash_' || s.n, 1, '', s.n, s.n FROM ${numbers}`,
    );
    await app.rows(
      `INSERT INTO thorn_changes (tx, source, new_row) SELECT s.n, 'articles', '{ "id": 1 }' FROM ${numbers}`,
    );
    await app.rows(
      `INSERT INTO thorn_sequences (id, sequence) SELECT gen_random_uuid(), 1 FROM ${numbers}`,
    );
    const { sequences: numbered } = OUTBOX_TABLES;
    for (const { name } of [SUBSCRIBERS, numbered, ...others]) await app.rows(`ANALYZE ${name}`);
    await app.rows(
      `INSERT INTO thorn_subscriber_changes (id, subscriber_id, host, number, kind, changed_at, changed_by, fields, due_at, tries) SELECT 'chg_f' || s.n, 'sub_' || s.n % 5000, 'x', s.n, 'changed', s.n, 'x', '[]', CASE WHEN s.n % 100 = 0 THEN 1 END, 0 FROM generate_series(1, ${ROWS}) AS s(n)`,
    );
    await app.rows('ANALYZE thorn_subscriber_changes');
    await analyzeTables(app, 'postgres');
  }, 120_000);
  afterAll(async () => {
    await app.close();
    await place.drop();
  });

  it.each(Object.entries({ ...FILES, ...OTHERS }))('of %s are all here', (file, module) => {
    const functions = Object.entries(module).flatMap(([name, one]) =>
      typeof one === 'function' && !NO_STATEMENTS.has(name) ? [name] : [],
    );
    expect(Object.keys(STATEMENTS[file]!).toSorted()).toEqual(functions.toSorted());
  });

  const cases = Object.entries(STATEMENTS).flatMap(([file, statements]) =>
    Object.entries(statements).map(([name, build]) => [file, name, build] as const),
  );

  it.each(cases)('of %s: %s goes through no large table', async (file, name, build) => {
    const built = build(store);
    for (const statement of 'sql' in built ? [built] : built) {
      const plan = await explain(store, `${file}: ${name}`, statement);
      if (BOUNDED.has(name)) continue;
      expect(plan).not.toMatch(
        /Seq Scan on thorn_(?:deliveries|messages|pending|attempts|subscribers|subscriber_changes|idempotency|portal|received|sequences|changes)/,
      );
    }
  });
});

async function explain(store: OutboxStore, title: string, { sql, parameters }: Statement) {
  const { rows } = await store.database.run({ sql: `EXPLAIN ${sql}`, parameters });
  const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n');
  if (isPrinted) writeSync(1, `${title}\n${sql}\n${plan}\n\n`);
  return plan;
}
