import type { Stats } from '../core/model.js';
import { day, milliseconds, number, percent, t } from '../text/index.js';
import { Table } from './table.js';

type Day = Stats['days'][number];
const WIDTH = 720;
const HEIGHT = 120;

/** Deliveries by day as stacked bars, with the same as a table. */
export function DayPlot({ days }: { readonly days: readonly Day[] }) {
  const most = Math.max(1, ...days.map((one) => one.succeeded + one.failed + one.pending));
  const step = WIDTH / Math.max(1, days.length);
  const bar = Math.min(24, step * 0.7);
  return (
    <div class="plot">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 20}`} role="img" aria-label={t().perDay}>
        <line class="axis" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        {days.map((one, index) => {
          let top = HEIGHT;
          const x = index * step + (step - bar) / 2;
          return (
            <g key={one.day}>
              {(['succeeded', 'pending', 'failed'] as const).map((part) => {
                const size = one[part] === 0 ? 0 : Math.max(2, (one[part] / most) * (HEIGHT - 8));
                top -= size;
                return <rect key={part} class={part} x={x} y={top} width={bar} height={size} />;
              })}
              {index % Math.ceil(days.length / 8) === 0 && (
                <text x={x + bar / 2} y={HEIGHT + 15} text-anchor="middle">
                  {day(one.day)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <p class="legend" aria-hidden="true">
        <span class="succeeded">{t().succeeded}</span>
        <span class="failed">{t().failed}</span>
        <span class="pending">{t().pending}</span>
      </p>
      <details>
        <summary>{t().showTable}</summary>
        <Table
          caption={t().perDay}
          rows={[...days].reverse().filter((one) => one.succeeded + one.failed + one.pending > 0)}
          keyOf={(one) => one.day}
          columns={[
            { title: t().day, cell: (one) => day(one.day) },
            { title: t().succeeded, kind: 'number', cell: (one) => number(one.succeeded) },
            { title: t().failed, kind: 'number', cell: (one) => number(one.failed) },
            { title: t().pending, kind: 'number', cell: (one) => number(one.pending) },
            { title: t().successRate, kind: 'number', cell: (one) => percent(one.successRate) },
            { title: t().p95, kind: 'number', cell: (one) => milliseconds(one.p95) },
          ]}
        />
      </details>
    </div>
  );
}

export function Figures({
  items,
}: {
  readonly items: readonly (readonly [string, string, ('bad' | undefined)?])[];
}) {
  return (
    <dl class="figures">
      {items.map(([name, value, tone]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={tone}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
