import { runInThisContext } from 'node:vm';
import { expect, it } from 'vitest';
import { callsNothing } from './calls-nothing.js';

interface Row {
  readonly id: number;
  readonly title?: string | undefined;
  readonly author: { readonly name: string } | null;
  readonly editor: Promise<unknown>;
}

declare const other: (...values: unknown[]) => unknown;
declare const many: ((...values: unknown[]) => unknown)[];
declare const 取得: typeof other;
declare const café: typeof other;
declare const tag: (parts: TemplateStringsArray) => unknown;

it.each<(row: Row, ...rest: { readonly before: Row }[]) => unknown>([
  ({ id, title }) => ({ id, title }),
  (row) => row,
  ({ author }) => author?.name ?? null,
  (row, { before }) => ({ ...row, was: before.title, longer: row.id > before.id }),
  ({ id, title }) => [id > 1 ? (title ?? null) : -(id + 1)],
  async ({ id }) => ({ id }),
  function ({ id }) {
    const sum = id + 1;
    return { sum };
  },
  function named({ id, title = 'none' }) {
    return { id, title };
  },
  { payload: ({ id }: Row) => [id] }.payload,
])('knows that %s calls nothing', (tested) => {
  expect(callsNothing(tested)).toBe(true);
});

it.each<(row: Row, ...rest: never[]) => unknown>([
  ({ id }) => other(id),
  ({ id }) => other?.(id),
  ({ id }) => many[id]!(),
  // prettier-ignore
  ({ id }) => other /* hidden */ (id),
  // prettier-ignore
  ({ id }) => (other)(id),
  () => tag`text`,
  ({ id }) => `article:${id}`,
  ({ id }) => new Date(id),
  ({ id }) => new Date().valueOf() + id,
  async ({ editor }) => await editor,
  () => import('node:fs'),
  ({ id, title = other(id) }) => title,
  ({ title }) => ({ title: title?.trim() }),
  ({ id }) => {
    const later = () => other(id);
    return { later };
  },
  async function ({ id, editor }) {
    for (let n = 0; n < id; n++) await editor;
  },
  ({ id }) => 取得(id),
  ({ id }) => café(id),
  ({ id }, more = tag`text`) => [id, more],
  // As a text: the compiler of the tests would add parentheses, which minifiers leave out.
  runInThisContext('({ id }, more = new Empty) => [id, more]') as () => unknown,
  Boolean,
  other0.bind(undefined),
  new Proxy(other0, {}),
  class {
    static payload = other0;
  }.payload,
])('supposes that %s calls something', (tested) => {
  expect(callsNothing(tested)).toBe(false);
});

function other0(row: unknown): unknown {
  return other(row);
}
