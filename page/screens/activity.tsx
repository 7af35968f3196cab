import type { AttemptHistory, Stats } from '../core/model.js';
import { dateHour, day, hour, milliseconds, number, percent, t } from '../text/index.js';
import { Empty } from '../ui/basics.js';
import { Figures, Plot, type Series, type Span } from '../ui/plot.js';
import type { PickedTime } from './picked-deliveries.js';

type Day = Stats['days'][number];
const HOUR = 3_600_000;

/** A time of a plot that the user may pick, for a list of its deliveries. */
export interface PickOptions {
  readonly onPick: (time: PickedTime) => void;
}

/** Attempts of one endpoint by day, and how long its answers took. */
export function DayActivity({ total, days, countedSince, onPick }: Stats & PickOptions) {
  const outcomes = ['succeeded', 'failed'] as const;
  const countOf = {
    succeeded: ({ attempts, failedAttempts }: Day) => attempts - failedAttempts,
    failed: (one: Day) => one.failedAttempts,
  };
  return (
    <>
      <Figures
        items={[
          [t().successRate, percent(total.successRate)],
          [t().attempts, number(total.attempts)],
          [
            t().health.failedAttempts,
            number(total.failedAttempts),
            total.failedAttempts > 0 ? 'bad' : undefined,
          ],
          [t().p95, milliseconds(total.p95)],
        ]}
      />
      <p class="hint">{t().figures.inUtc}</p>
      {days.some(({ isComplete }) => !isComplete) && <CountedSince time={countedSince} />}
      <Plot
        as="bars"
        label={t().figures.perDay}
        items={days}
        nameOf={(one) => day(one.day)}
        series={outcomes.map((kind) => ({
          kind,
          title: t()[kind],
          value: (one: Day) => (isUnknown(one) ? null : countOf[kind](one)),
        }))}
        spanOf={(one) => spanFrom(one.day, 24 * HOUR)}
        onPick={([from, to]) => onPick({ from, to })}
        columns={[
          { title: t().successRate, kind: 'number', cell: (one) => percent(one.successRate) },
        ]}
      />
      <Durations items={days} nameOf={(one) => day(one.day)} />
    </>
  );
}

/** Before the attempts were counted, none were found, which does not mean that there were none. */
function isUnknown(one: { readonly isComplete: boolean; readonly attempts: number }): boolean {
  return !one.isComplete && one.attempts === 0;
}

function spanFrom(start: string, length: number): Span {
  const from = new Date(start);
  return [from.toISOString(), new Date(from.getTime() + length).toISOString()];
}

/** Attempts of all endpoints by hour or day, and how long their answers took. */
export function Activity({
  by,
  total,
  items,
  since,
  countedSince,
  onPick,
}: AttemptHistory & PickOptions) {
  if (total.attempts === 0) return <Empty title={t().noFigures} />;
  const nameOf = ({ at }: { readonly at: string }) => (by === 'hour' ? hour(at) : day(at));
  const titleOf = ({ at }: { readonly at: string }) => (by === 'hour' ? dateHour(at) : day(at));
  const outcomes = ['succeeded', 'failed'] as const;
  return (
    <>
      <Figures
        items={[
          [t().attempts, number(total.attempts)],
          [t().successRate, percent(total.succeeded / total.attempts)],
          [t().health.failedAttempts, number(total.failed), total.failed > 0 ? 'bad' : undefined],
          [t().p95, milliseconds(total.p95)],
        ]}
      />
      {by === 'day' && <p class="hint">{t().figures.inUtc}</p>}
      {countedSince > since && <CountedSince time={countedSince} />}
      <Plot
        as="bars"
        label={by === 'hour' ? t().figures.perHour : t().figures.perDay}
        items={items}
        nameOf={nameOf}
        titleOf={titleOf}
        series={outcomes.map((kind) => ({
          kind,
          title: t()[kind],
          value: (one: AttemptHistory['items'][number]) => (isUnknown(one) ? null : one[kind]),
        }))}
        spanOf={({ at }) => spanFrom(at, by === 'hour' ? HOUR : 24 * HOUR)}
        onPick={([from, to]) => onPick({ from, to })}
      />
      <Durations items={items} nameOf={nameOf} titleOf={titleOf} />
    </>
  );
}

function CountedSince({ time }: { readonly time: string }) {
  return <p class="hint">{t().figures.countedSince(`${day(time)} ${hour(time)}`)}</p>;
}

interface Times {
  readonly p50: number | null;
  readonly p95: number | null;
}

interface DurationOptions<Item> {
  readonly items: readonly Item[];
  readonly nameOf: (item: Item) => string;
  readonly titleOf?: (item: Item) => string;
}

function Durations<Item extends Times>({ items, nameOf, titleOf = nameOf }: DurationOptions<Item>) {
  if (items.every(({ p95 }) => p95 === null)) return null;
  const series: readonly Series<Item>[] = [
    { kind: 'p50', title: t().median, value: ({ p50 }) => p50 },
    { kind: 'p95', title: t().p95, value: ({ p95 }) => p95 },
  ];
  return (
    <>
      <h3 class="plot-title">{t().figures.durations}</h3>
      <Plot
        as="lines"
        label={t().figures.durations}
        items={items}
        nameOf={nameOf}
        titleOf={titleOf}
        series={series}
        format={milliseconds}
      />
    </>
  );
}
