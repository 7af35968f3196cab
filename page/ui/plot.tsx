import { useId } from 'preact/hooks';
import { number, t } from '../text/index.js';
import { axisOf, edgesOf, type Layout, layoutOf } from './plot-layout.js';
import { useSelection } from './plot-selection.js';
import { Bars, Line, NoData } from './plot-marks.js';
import { type Column, Table } from './table.js';
import { useWidth } from './width.js';

/** A series of figures in a plot. */
export interface Series<Item> {
  readonly kind: 'succeeded' | 'failed' | 'pending' | 'p50' | 'p95';
  readonly title: string;
  /** Null where nothing is known, which is not the same as 0. */
  readonly value: (item: Item) => number | null;
}

/** The time that an item covers, as texts of ISO 8601. */
export type Span = readonly [from: string, to: string];

interface PlotOptions<Item> {
  readonly label: string;
  /** Stacked bars, or lines. */
  readonly as: 'bars' | 'lines';
  readonly items: readonly Item[];
  /** A short name of an item's time for the axis. */
  readonly nameOf: (item: Item) => string;
  /** The time in full. Default: `nameOf`. */
  readonly titleOf?: (item: Item) => string;
  readonly series: readonly Series<Item>[];
  readonly format?: (value: number) => string;
  /** Columns of the table for figures that are not drawn. */
  readonly columns?: readonly Column<Item>[];
  readonly spanOf?: (item: Item) => Span;
  /** Gets the time that the user has picked. It needs `spanOf`. */
  readonly onPick?: ((span: Span) => void) | undefined;
}

/** Figures over time: drawn, read one by one with a pointer or with keys, and the same as a table. */
export function Plot<Item>(options: PlotOptions<Item>) {
  const { label, as, items, series, format = number, columns = [] } = options;
  const { spanOf, onPick } = options;
  const { nameOf, titleOf = nameOf } = options;
  const [area, width] = useWidth();
  const id = useId();
  const sizes = items.map((item) => {
    const values = series.flatMap(({ value }) => value(item) ?? []);
    if (values.length === 0) return null;
    return as === 'bars' ? values.reduce((sum, one) => sum + one, 0) : Math.max(...values);
  });
  const axis = axisOf(Math.max(...sizes.map((one) => one ?? 0)));
  const layout = layoutOf(
    width,
    axis,
    axis.map((value) => format(value)),
    items.map(nameOf),
  );
  const selection = useSelection(items.length, layout, (first, last) => {
    if (spanOf !== undefined) onPick?.([spanOf(items[first]!)[0], spanOf(items[last]!)[1]]);
  });
  const { shown, range } = selection;
  const textOf = (value: number | null) => (value === null ? t().figures.noData : format(value));
  const readOut = () => {
    const [first, last] = range ?? [shown ?? items.length - 1, shown ?? items.length - 1];
    if (items.length === 0) return '';
    if (first !== last) return `${titleOf(items[first]!)} – ${titleOf(items[last]!)}`;
    const values = series.map(({ title, value }) => `${title} ${textOf(value(items[first]!))}`);
    return `${titleOf(items[first]!)}: ${sizes[first] === null ? t().figures.noData : values.join(', ')}`;
  };
  return (
    <div class="plot">
      <div class="plot-area" ref={area}>
        {width > 0 && (
          <svg width={width} height={layout.height} role="img" aria-label={label}>
            <Grid layout={layout} />
            <NoData layout={layout} sizes={sizes} />
            {range !== null && <Band of={edgesOf(layout, ...range)} layout={layout} kind="range" />}
            {shown !== null && range === null && (
              <Band of={edgesOf(layout, shown, shown)} layout={layout} kind="shown" />
            )}
            {as === 'bars' ? (
              <Bars items={items} series={series} layout={layout} />
            ) : (
              series.map((one) => <Line key={one.kind} items={items} of={one} layout={layout} />)
            )}
          </svg>
        )}
        <div
          class={`plot-reader ${onPick === undefined ? '' : 'picks'}`}
          role="slider"
          tabIndex={0}
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={Math.max(0, items.length - 1)}
          aria-valuenow={shown ?? Math.max(0, items.length - 1)}
          aria-valuetext={readOut()}
          {...(onPick !== undefined && { 'aria-describedby': `${id}-hint` })}
          {...selection.handlers}
        />
        {shown !== null && items[shown] !== undefined && (
          <div class="plot-values" aria-hidden="true" style={placeOf(layout, shown)}>
            <b>{range === null || range[0] === range[1] ? titleOf(items[shown]) : readOut()}</b>
            {(range === null || range[0] === range[1]) &&
              (sizes[shown] === null ? (
                <span>{t().figures.noData}</span>
              ) : (
                series.map(({ kind, title, value }) => (
                  <span key={kind} class={kind}>
                    {title} <b>{textOf(value(items[shown]!))}</b>
                  </span>
                ))
              ))}
            {onPick !== undefined && range === null && <small>{t().figures.drag}</small>}
          </div>
        )}
      </div>
      <div class="plot-end">
        <p class="legend" aria-hidden="true">
          {series.map(({ kind, title }) => (
            <span key={kind} class={kind}>
              {title}
            </span>
          ))}
        </p>
        {onPick !== undefined && (
          <p class="off-screen" id={`${id}-hint`}>
            {t().figures.pick}
          </p>
        )}
      </div>
      <details>
        <summary>{t().showTable}</summary>
        <Table
          caption={label}
          rows={items.filter((_, index) => (sizes[index] ?? 0) > 0).toReversed()}
          keyOf={(item) => String(items.indexOf(item))}
          columns={[
            { title: t().time, cell: nameOf },
            ...series.map(({ title, value }): Column<Item> => {
              const shownAs = (given: number | null) => (given === null ? '–' : format(given));
              return { title, kind: 'number', cell: (item) => shownAs(value(item)) };
            }),
            ...columns,
          ]}
        />
      </details>
    </div>
  );
}

/** Beside the item, on the side that has more room. */
function placeOf({ left, step, width }: Layout, index: number) {
  const at = left + (index + 0.5) * step;
  const gap = step / 2 + 8;
  return at > width / 2 ? { right: `${width - at + gap}px` } : { left: `${at + gap}px` };
}

function Grid({ layout }: { readonly layout: Layout }) {
  const { left, width, bottom, names, levels } = layout;
  return (
    <>
      {levels.map(({ text, y }) => (
        <g key={text}>
          <line class="grid" x1={left} x2={width} y1={y} y2={y} />
          <text x={left - 8} y={y + 4} text-anchor="end">
            {text}
          </text>
        </g>
      ))}
      {names.map(({ text, x, anchor }) => (
        <text key={x} x={x} y={bottom + 18} text-anchor={anchor}>
          {text}
        </text>
      ))}
      <line class="base" x1={left} x2={width} y1={bottom} y2={bottom} />
    </>
  );
}

interface BandOptions {
  readonly of: readonly [from: number, to: number];
  readonly layout: Layout;
  readonly kind: 'range' | 'shown';
}

function Band({ of: [from, to], layout: { top, bottom }, kind }: BandOptions) {
  return <rect class={kind} x={from} y={top} width={to - from} height={bottom - top} />;
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
