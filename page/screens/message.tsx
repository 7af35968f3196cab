import type { DeliverySource } from '../core/deliveries.js';
import { linkTo } from '../core/router.js';
import { LIVE, useData } from '../core/use-data.js';
import { usePages } from '../core/use-pages.js';
import type { Delivery } from '../core/model.js';
import { dateTime, number, t } from '../text/index.js';
import { Copyable, Empty } from '../ui/basics.js';
import { More } from '../ui/more.js';
import { Loaded, Screen, Section } from '../ui/screen.js';
import { DeliveryTable } from './delivery-table.js';
import { SentBody } from './sent-request.js';
import { titleOf } from './subject.js';

const STEP = 100;

interface Options {
  readonly id: string;
  readonly source: DeliverySource;
}

/** A message with its deliveries to all endpoints. */
export function MessageScreen({ id, source }: Options) {
  const pages = usePages<Delivery>(`message ${source.base} ${id}`, {
    read: (after, signal) => source.list({ message: id, limit: String(STEP), after }, signal),
    step: STEP,
    every: LIVE,
  });
  const first = pages.data.value?.items[0];
  return (
    <Screen
      title={first === undefined ? t().messageId : titleOf(first)}
      lead={
        <>
          <span class="mono break">{id}</span>
          <Copyable text={id} label={t().lists.copyId} />
          {first !== undefined && <span class="faint">{dateTime(first.createdAt)}</span>}
        </>
      }
      crumbs={[[t().deliveries, linkTo(`${source.base}/deliveries`)]]}
    >
      <Loaded data={pages.data} as="rows">
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title={t().notFound} hint={t().lists.noMessage} />
          ) : (
            <>
              <Section title={t().deliveries}>
                <p class="hint">{countsOf(items, next)}</p>
                <DeliveryTable rows={items} base={source.base} isWhole={next === null} />
                <More pages={pages} />
              </Section>
              <Body id={items[0]!.id} source={source} />
            </>
          )
        }
      </Loaded>
    </Screen>
  );
}

/** How many deliveries are in each state, of those that are shown. */
function countsOf(items: readonly Delivery[], next: string | null): string {
  const states = ['failed', 'pending', 'succeeded'] as const;
  const counts = states
    .map((state) => [state, items.filter(({ status }) => status === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${t()[state]}: ${number(count)}`);
  return counts.join(' · ') + (next === null ? '' : ' …');
}

/** The body as one of the deliveries has it: formats and templates of endpoints may change it. */
function Body({ id, source }: Options) {
  const request = useData(`request ${source.base} ${id}`, (signal) => source.request(id, signal));
  // Operators see the data of customers only where an option lets them.
  if (request.error?.status === 403) return null;
  return (
    <Section title={t().lists.messageBody}>
      <Loaded data={request} as="box">
        {(value) => <SentBody request={value} />}
      </Loaded>
    </Section>
  );
}
