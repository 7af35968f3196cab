import { Logger } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import { afterEach, expect, it, vi } from 'vitest';
import type { MessagePipeline } from '../../dispatch/index.js';
import type { Message } from '../../message/index.js';
import { DataSourceClient } from '../data-source-client.js';
import { Connections } from '../connection/connection-state.js';
import { ChangeCollector } from './change-collector.js';
import type { EntityMessages } from '../../capture/messages/entity-messages.js';

const FAULT = new Error(
  'POST https://u:p4ss@example.com/h?token=s3cret signed with whsec_c2VjcmV0',
  {
    cause: new Error('s3cret'),
  },
);
const message = { id: 'msg_1' } as Message;
const messages = {
  messagesOf: () => Promise.resolve([message]),
  heardAmong: (items: unknown) => ({ items, events: new Set() }),
} as unknown as EntityMessages;
const manager = {
  dataSource: {
    options: { type: 'postgres' },
    driver: { isReturningSqlSupported: () => true },
  },
  queryRunner: { isTransactionActive: true },
} as unknown as EntityManager;
const client = new DataSourceClient(manager.dataSource);
const byHand = { refuse: () => undefined };
const item = { type: 'message', message } as const;

function logged() {
  const lines: unknown[] = [];
  vi.spyOn(Logger.prototype, 'error').mockImplementation((...parts: unknown[]) => {
    lines.push(...parts);
  });
  return lines;
}

afterEach(() => void vi.restoreAllMocks());

it('keeps a commit alive whose release fails, and logs no secret of it', async () => {
  const lines = logged();
  const pipeline = {
    stage: async (staged: readonly Message[]) => staged,
    release: () => {
      throw FAULT;
    },
  } as unknown as MessagePipeline;
  const collector = new ChangeCollector(client, messages, pipeline, byHand, new Connections());
  const dataSource = { options: { type: 'postgres' } };
  const queryRunner = { isTransactionActive: true, dataSource } as QueryRunner;
  collector.afterTransactionStart({ queryRunner });
  await collector.collect({ queryRunner, manager }, item);
  await collector.beforeTransactionCommit({ queryRunner, manager });
  const committed = { isTransactionActive: false };
  Object.assign(queryRunner, committed);
  expect(() => collector.afterTransactionCommit({ queryRunner, manager })).not.toThrow();

  expect(lines[0]).toBe(
    'Releasing 1 committed message(s) failed: POST https://example.com/h signed with whsec_…',
  );
  expect(lines[1]).toContain('collector.spec.ts');
  expect(lines.join()).not.toMatch(/s3cret|p4ss|c2VjcmV0/);
});

it('keeps a write alive whose message cannot be sent, and logs no secret of it', async () => {
  const lines = logged();
  const pipeline = { stage: () => Promise.reject(FAULT) } as unknown as MessagePipeline;
  const queryRunner = { isTransactionActive: false } as QueryRunner;
  await new ChangeCollector(client, messages, pipeline, byHand, new Connections()).collect(
    { queryRunner, manager },
    item,
  );

  expect(lines[0]).toContain('Sending the events of writes outside of a transaction failed: POST');
  expect(lines.join()).not.toMatch(/s3cret|p4ss|c2VjcmV0/);
});
