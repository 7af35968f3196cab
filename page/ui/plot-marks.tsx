import { t } from '../text/index.js';
import type { Series } from './plot.js';
import { edgesOf, type Layout } from './plot-layout.js';

interface MarkOptions<Item> {
  readonly items: readonly Item[];
  readonly layout: Layout;
}

/** Bars of several series on each other. */
export function Bars<Item>({
  items,
  series,
  layout: { left, step, bottom, yOf },
}: MarkOptions<Item> & { readonly series: readonly Series<Item>[] }) {
  const width = Math.max(2, Math.min(28, step * 0.7));
  return (
    <>
      {items.map((item, index) => {
        let top = bottom;
        return series.map(({ kind, value }) => {
          const amount = value(item) ?? 0;
          const size = amount === 0 ? 0 : Math.max(2, bottom - yOf(amount));
          top -= size;
          const x = left + (index + 0.5) * step - width / 2;
          return <rect key={kind + x} class={kind} x={x} y={top} width={width} height={size} />;
        });
      })}
    </>
  );
}

/** A line with a point for each value, and with a gap where a value is missing. */
export function Line<Item>({
  items,
  of: { kind, value },
  layout: { left, step, yOf },
}: MarkOptions<Item> & { readonly of: Series<Item> }) {
  const points = items.map((item, index) => {
    const given = value(item);
    return given === null ? null : ([left + (index + 0.5) * step, yOf(given)] as const);
  });
  const path = points.map((one, index) =>
    one === null ? '' : `${points[index - 1] == null ? 'M' : 'L'}${one[0]} ${one[1]}`,
  );
  return (
    <g class={kind}>
      <path d={path.join('')} />
      {points.map((one, index) => one && <circle key={index} cx={one[0]} cy={one[1]} r="2.5" />)}
    </g>
  );
}

/** Shades the times of which nothing is known, so that they do not look like times without attempts. */
export function NoData({
  layout,
  sizes,
}: {
  readonly layout: Layout;
  readonly sizes: readonly (number | null)[];
}) {
  return (
    <>
      {sizes.map((size, first) => {
        if (size !== null || sizes[first - 1] === null) return null;
        const end = sizes.findIndex((one, index) => index > first && one !== null);
        const [from, to] = edgesOf(layout, first, (end === -1 ? sizes.length : end) - 1);
        const { top, bottom } = layout;
        const text = t().figures.noData;
        return (
          <g key={first} class="no-data">
            <rect x={from} y={top} width={to - from} height={bottom - top} />
            {to - from > text.length * 8 && (
              <text x={(from + to) / 2} y={(top + bottom) / 2} text-anchor="middle">
                {text}
              </text>
            )}
          </g>
        );
      })}
    </>
  );
}
