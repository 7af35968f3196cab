import type { INestApplicationContext } from '@nestjs/common';
import { DataSource } from 'typeorm';

const CREATED = 1_790_000_000_000;

const idAt = (at: number) => `sub_0198c2a4-8f1e-7c3a-9d55-${at.toString(16).padStart(12, '0')}`;

function rowAt(at: number, rows: number) {
  return {
    id: idAt(at),
    owner: at % 2 === 0 ? 'alice' : 'bob',
    url: `https://customer-${at}.example.com/webhooks/incoming`,
    ...{ events: '["article.*"]', exclude: '[]', filter: null, metadata: '{}' },
    ...{ rateMax: null, ratePer: null, ordered: false, onExhausted: 'skip', holdFor: null },
    ...{ contentType: 'application/json', digest: 'sha256', secrets: '[]', enabled: true },
    verification: 'none',
    description: at === rows - 2 ? 'The Last of them' : `Number ${at}`,
    ...{ revision: 1, ownerSlot: null, hostSlot: null, createdAt: CREATED, updatedAt: CREATED },
  };
}

/** Writes as many subscribers of alice and bob in turn. One of alice's is described as "The Last of them". */
export async function seedSubscribers(app: INestApplicationContext, rows: number): Promise<void> {
  const table = app.get(DataSource).getRepository('ThornSubscriber');
  for (let from = 0; from < rows; from += 1000) {
    await table.insert(Array.from({ length: 1000 }, (_, n) => rowAt(from + n, rows)));
  }
  await app.get(DataSource).query('ANALYZE');
}
