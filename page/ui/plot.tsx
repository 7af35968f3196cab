import { number, t } from '../text/index.js';
import { type Column, Table } from './table.js';

const WIDTH = 720;
const HEIGHT = 120;
const TOP = 14;

/** A series of figures in a plot. */
export interface Series<Item> {
  readonly kind: 'succeeded' | 'failed' | 'pending' | 'p50' | 'p95';
  readonly title: string;
  readonly value: (item: Item) => number | null;
}

interface PlotOptions<Item> {
  readonly label: string;
  /** Stacked bars, or lines. */
  readonly as: 'bars' | 'lines';
  readonly items: readonly Item[];
  /** The time of an item, which is different for each. */
  readonly nameOf: (item: Item) => string;
  readonly series: readonly Series<Item>[];
  readonly format?: (value: number) => string;
  /** Columns of the table for figures that are not drawn. */
  readonly columns?: readonly Column<Item>[];
}

/** Figures over time, drawn, and the same as a table. */
export function Plot<Item>(options: PlotOptions<Item>) {
  const { label, as, items, nameOf, series, format = number, columns = [] } = options;
  const sizes = items.map((item) => {
    const values = series.map(({ value }) => value(item) ?? 0);
    return as === 'bars' ? values.reduce((sum, one) => sum + one, 0) : Math.max(...values);
  });
  const most = Math.max(1, ...sizes);
  const step = WIDTH / Math.max(1, items.length);
  const scale = (HEIGHT - TOP) / most;
  return (
    <div class="plot">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 26}`} role="img" aria-label={label}>
        <line class="axis" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        <text x="0" y="10">
          {format(most)}
        </text>
        {items.map(
          (item, index) =>
            index % Math.ceil(items.length / 8) === 0 && (
              <text
                key={index}
                x={xOfName(index, items.length)}
                y={HEIGHT + 15}
                text-anchor={anchorOf(index, items.length)}
              >
                {nameOf(item)}
              </text>
            ),
        )}
        {as === 'bars'
          ? items.map((item, index) => (
              <Bar key={index} item={item} x={index * step} step={step} scale={scale} of={series} />
            ))
          : series.map((one) => (
              <Line key={one.kind} items={items} step={step} scale={scale} of={one} />
            ))}
      </svg>
      <p class="legend" aria-hidden="true">
        {series.map(({ kind, title }) => (
          <span key={kind} class={kind}>
            {title}
          </span>
        ))}
      </p>
      <details>
        <summary>{t().showTable}</summary>
        <Table
          caption={label}
          rows={items.filter((_, index) => sizes[index]! > 0).toReversed()}
          keyOf={(item) => String(items.indexOf(item))}
          columns={[
            { title: t().time, cell: nameOf },
            ...series.map(({ title, value }): Column<Item> => {
              const shown = (given: number | null) => (given === null ? '–' : format(given));
              return { title, kind: 'number', cell: (item) => shown(value(item)) };
            }),
            ...columns,
          ]}
        />
      </details>
    </div>
  );
}

/** Names at the edges stand within the plot. */
function anchorOf(index: number, count: number): 'start' | 'middle' | 'end' {
  if (index === 0) return 'start';
  return index === count - 1 ? 'end' : 'middle';
}

function xOfName(index: number, count: number): number {
  const anchor = anchorOf(index, count);
  if (anchor === 'start') return 0;
  return anchor === 'end' ? WIDTH : ((index + 0.5) * WIDTH) / count;
}

interface BarOptions<Item> {
  readonly item: Item;
  readonly x: number;
  readonly step: number;
  readonly scale: number;
  readonly of: readonly Series<Item>[];
}

function Bar<Item>({ item, x, step, scale, of }: BarOptions<Item>) {
  const width = Math.min(24, step * 0.7);
  let top = HEIGHT;
  return (
    <g>
      {of.map(({ kind, value }) => {
        const amount = value(item) ?? 0;
        const size = amount === 0 ? 0 : Math.max(2, amount * scale);
        top -= size;
        return (
          <rect
            key={kind}
            class={kind}
            x={x + (step - width) / 2}
            y={top}
            width={width}
            height={size}
          />
        );
      })}
    </g>
  );
}

interface LineOptions<Item> {
  readonly items: readonly Item[];
  readonly step: number;
  readonly scale: number;
  readonly of: Series<Item>;
}

/** A line with a point for each value, and with a gap where a value is missing. */
function Line<Item>({ items, step, scale, of: { kind, value } }: LineOptions<Item>) {
  const points = items.map((item, index) => {
    const given = value(item);
    return given === null ? null : ([(index + 0.5) * step, HEIGHT - given * scale] as const);
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
