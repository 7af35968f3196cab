import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /**
   * `wide` takes the room that is left; `name` takes most of it and keeps to its width; `number` is aligned to the right;
   * `narrow` has no visible heading.
   */
  readonly kind?: 'wide' | 'name' | 'number' | 'narrow';
  /** What the column can be sorted by. */
  readonly sort?: (row: Row) => string | number;
}

interface TableOptions<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** True when `rows` are all there are. A part of a list, sorted, would hide what belongs between its rows. */
  readonly isWhole?: boolean;
  /** How a row looks where the page is narrow. Default: a line for each column. */
  readonly as?: 'delivery';
}

interface Order {
  readonly title: string;
  readonly isDown: boolean;
}

/** A table that becomes a list of cards where the page is narrow. */
export function Table<Row>(options: TableOptions<Row>) {
  const { caption, columns, rows, keyOf, isWhole = false, as } = options;
  const [order, setOrder] = useState<Order>();
  const by = isWhole ? columns.find((one) => one.title === order?.title)?.sort : undefined;
  const shown = by === undefined ? rows : sorted(rows, by, order!.isDown);
  const turn = (title: string) =>
    setOrder(
      order?.title !== title
        ? { title, isDown: false }
        : order.isDown
          ? undefined
          : { title, isDown: true },
    );
  return (
    <table class={as}>
      <caption class="off-screen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ title, kind, sort }) => {
            const isSorted = by !== undefined && order?.title === title;
            return (
              <th
                key={title}
                scope="col"
                class={kind}
                aria-sort={isSorted ? (order.isDown ? 'descending' : 'ascending') : undefined}
              >
                {kind === 'narrow' ? (
                  <span class="off-screen">{title}</span>
                ) : isWhole && sort !== undefined && rows.length > 1 ? (
                  <button type="button" class="sort" onClick={() => turn(title)}>
                    {title}
                    <span aria-hidden="true">{isSorted ? (order.isDown ? '↓' : '↑') : '↕'}</span>
                  </button>
                ) : (
                  title
                )}
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody>
        {shown.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ title, kind, cell }) => (
              <td key={title} class={kind} data-title={title}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function sorted<Row>(
  rows: readonly Row[],
  by: (row: Row) => string | number,
  isDown: boolean,
): readonly Row[] {
  const sign = isDown ? -1 : 1;
  return rows.toSorted((one, other) => {
    const [a, b] = [by(one), by(other)];
    const way =
      typeof a === 'string'
        ? a.localeCompare(String(b), undefined, { numeric: true })
        : a - Number(b);
    return way * sign;
  });
}
