import { Article } from '../../test/support/apps/outbox-app.js';
import { reportValue } from '../harness.js';
import { application } from './application.js';
import type { Ground } from './ground.js';
import { SUBSCRIBERS } from './throughput.js';

const EVENTS = 2000;
const IN_FLIGHT = 100;

/** What a message and its deliveries cost in statements, on both databases; the higher count is reported. */
export async function statements({ services, endpoints }: Ground): Promise<void> {
  let perMessage = 0;
  let perDelivery = 0;
  for (const options of [services.sqlite(), await services.postgres()]) {
    const one = await application('count', options, endpoints.fast(SUBSCRIBERS), {
      isLogged: true,
    });
    const { log, dataSource } = one.rig;
    await one.once();
    log.statements.length = 0;
    await dataSource.manager.save(dataSource.manager.create(Article, { title: 'One' }));
    const inTransaction = log.statements.filter((sql) => /thorn_/.test(sql)).length;
    perMessage = Math.max(perMessage, inTransaction);
    log.statements.length = 0;
    let left = EVENTS;
    const work = async () => {
      while (left-- > 0) await one.once();
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
    await one.stop();
    const after = log.statements.filter(
      (sql) => !/INSERT INTO "thorn_(?:pending_)?messages"/.test(sql),
    );
    perDelivery = Math.max(perDelivery, after.length / (EVENTS * SUBSCRIBERS));
  }
  reportValue('outbox.sql-per-message', perMessage, 'statements', 2);
  reportValue('outbox.sql-per-delivery', perDelivery, 'statements', 0.1);
}
