import type { Change } from '../core/model.js';
import type { Query } from '../core/source.js';
import { LIVE } from '../core/use-data.js';
import { type Page, type Pages, usePages } from '../core/use-pages.js';
import { answerText, dateTime, number, percent, t } from '../text/index.js';
import { Time } from '../ui/basics.js';
import { More } from '../ui/more.js';
import { Loaded, Section } from '../ui/screen.js';
import { Table } from '../ui/table.js';
import { FORM_FIELD_LIST } from './endpoint-fields.js';

const STEP = 20;

type ReadChanges = (id: string, query: Query, signal: AbortSignal) => Promise<Page<Change>>;

/** The changes of an endpoint, newest first. */
export function useChanges(id: string, read: ReadChanges): Pages<Change> {
  return usePages<Change>(`changes ${id}`, {
    read: (after, signal) => read(id, { limit: String(STEP), after }, signal),
    step: STEP,
    every: LIVE * 4,
  });
}

export function Changes({ pages }: { readonly pages: Pages<Change> }) {
  const texts = t().endpointTexts;
  return (
    <Section title={texts.changes}>
      <Loaded data={pages.data} as="rows">
        {({ items }) =>
          items.length === 0 ? (
            <p class="faint">{texts.noChanges}</p>
          ) : (
            <>
              <Table
                caption={texts.changes}
                rows={items}
                keyOf={({ id }) => id}
                columns={[
                  { title: texts.change, kind: 'wide', cell: (one) => <What change={one} /> },
                  { title: texts.by, cell: ({ by }) => <Actor name={by} /> },
                  { title: t().time, cell: ({ at }) => <Time at={at} /> },
                ]}
              />
              <More pages={pages} />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

function What({ change }: { readonly change: Change }) {
  const { kind, fields } = change;
  const names = fieldNames(fields);
  const details = kind === 'changed' ? names : detailsOf(change);
  return (
    <>
      {t().endpointTexts.kinds[kind]}
      {details !== '' && <small>{details}</small>}
    </>
  );
}

function detailsOf({ kind, figures }: Change): string {
  if (figures === null) return '';
  const texts = t().endpointTexts;
  if (kind === 'recovered') return t().health.messages(number(figures.failingMessages));
  const since = kind === 'failing' ? texts.failing(dateTime(figures.failingSince)) : '';
  const share = kind === 'failing' ? `${texts.share(percent(figures.share / 100))}.` : '';
  return [share, since, answerText(figures)].filter((one) => one !== '').join(' ');
}

/** The names of fields as the form calls them, each once. */
function fieldNames(fields: readonly string[]): string {
  const own: Readonly<Record<string, string>> = {
    contentType: t().contentType,
    ...t().endpointTexts.fields,
  };
  const names = fields.map((field) => {
    const found = FORM_FIELD_LIST.find(([, { names: all }]) =>
      all.some((one: string) => one === field),
    );
    return found?.[1].label() ?? own[field] ?? field;
  });
  return [...new Set(names)].join(', ');
}

/** Who has changed an endpoint: a name of the application's, which may be any text, or a part of the library. */
export function Actor({ name }: { readonly name: string }) {
  const { actors } = t().endpointTexts;
  return <bdi class="break">{Object.hasOwn(actors, name) ? actors[name as Known] : name}</bdi>;
}

type Known = keyof ReturnType<typeof t>['endpointTexts']['actors'];
