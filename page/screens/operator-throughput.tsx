import { operator } from '../core/operator.js';
import type { Query } from '../core/source.js';
import { LIVE, useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Loaded, Section } from '../ui/screen.js';
import { Activity, type PickOptions } from './activity.js';

/** Attempts of the last day, of all or of one endpoint. */
export function Throughput({ query, onPick }: { readonly query: Query } & PickOptions) {
  const data = useData(
    `throughput ${JSON.stringify(query)}`,
    (signal) => operator.stats({ ...query, by: 'hour' }, signal),
    LIVE * 4,
  );
  return (
    <Section title={t().operators.throughput}>
      <Loaded data={data} as="tiles chart">
        {({ by, total, since, until, countedSince, items }) => (
          <Activity
            by={by}
            total={total}
            since={iso(since)}
            until={iso(until)}
            countedSince={iso(countedSince)}
            onPick={onPick}
            items={items.map((one) => ({ ...one, at: iso(one.at) }))}
          />
        )}
      </Loaded>
    </Section>
  );
}

/** Operators get times as numbers. */
function iso(time: number): string {
  return new Date(time).toISOString();
}
