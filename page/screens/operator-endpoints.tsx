import { failingFirst } from '../core/failing-first.js';
import type { Endpoint } from '../core/model.js';
import { operator } from '../core/operator.js';
import { linkTo, place, setQuery } from '../core/router.js';
import { WITH_LAST_DAY } from '../core/source.js';
import { typingEnd } from '../core/typing.js';
import { useEdits } from '../core/use-edits.js';
import { usePages } from '../core/use-pages.js';
import { t } from '../text/index.js';
import { Button, Empty, ErrorNote, Time } from '../ui/basics.js';
import { EndpointName } from '../ui/endpoint-name.js';
import { More } from '../ui/more.js';
import { Loaded, Screen } from '../ui/screen.js';
import { Table } from '../ui/table.js';
import { OwnerLink } from './operator-failing.js';
import { lastDayColumn, LastDayHint, StateNow, turned } from './endpoint-state.js';
import { EndpointExport, Patterns, SearchField } from './endpoints.js';

const STEP = 50;

/** Endpoints of all owners, in pages: there may be a hundred thousand. */
export function OperatorEndpoints() {
  const { owner = '', q = '' } = place.value.query;
  const search = q.trim() === '' ? undefined : q.trim();
  const pages = usePages<Endpoint>(`all endpoints ${owner} ${search ?? ''}`, {
    read: async (after, signal) => {
      if (after === undefined) await typingEnd(search, signal);
      const query = { owner, search, limit: String(STEP), ...WITH_LAST_DAY };
      // A search looks at each row once.
      if (search) return operator.endpoints({ ...query, after }, signal);
      return failingFirst((part) => operator.endpoints({ ...query, ...part }, signal), after);
    },
    step: STEP,
  });
  const edits = useEdits<Endpoint>(({ id }) => id);
  // The rows stay: the list is not read again.
  const turn = (read: Endpoint) => {
    const one = { ...read, ...edits.of(read) };
    edits.run(read, turned(one), async () => {
      await operator.turn(one.id, one.enabled ? 'disable' : 'enable');
    });
  };
  return (
    <Screen
      title={t().endpoints}
      {...(owner !== '' && {
        lead: <a href={linkTo('/operator/deliveries', { owner })}>{t().operators.deliveriesOf}</a>,
      })}
      actions={
        <EndpointExport
          key={`${owner} ${search}`}
          read={(after, signal) =>
            operator.endpoints({ owner, search, limit: '100', after }, signal)
          }
        />
      }
    >
      <div class="filters" role="search" aria-label={t().filters}>
        <SearchField q={q} />
        <label>
          <span>{t().owner}</span>
          <input
            type="search"
            value={owner}
            onChange={({ currentTarget }) => setQuery({ owner: currentTarget.value.trim() })}
          />
        </label>
      </div>
      <ErrorNote error={edits.error} />
      <Loaded data={pages.data} as="rows">
        {({ items, next }) => (
          <>
            {items.length === 0 ? (
              <Empty
                title={t().noMatch}
                hint={next === null ? t().noMatchHint : t().lists.searchedPart}
              />
            ) : (
              <Table
                caption={t().endpoints}
                rows={items}
                isWhole={next === null}
                keyOf={({ id }) => id}
                columns={[
                  {
                    title: t().endpoint,
                    kind: 'name',
                    cell: ({ id, url, description }) => (
                      <EndpointName
                        {...{ id, url, description }}
                        href={linkTo(`/operator/endpoints/${id}`)}
                      />
                    ),
                    sort: ({ url, description }) => description ?? url,
                  },
                  {
                    title: t().owner,
                    cell: (one) => <OwnerLink owner={one.owner} />,
                    sort: (one) => one.owner ?? '',
                  },
                  {
                    title: t().events,
                    kind: 'wide',
                    cell: ({ events }) => <Patterns patterns={events} most={2} />,
                  },
                  {
                    title: t().state,
                    cell: (one) => <StateNow endpoint={{ ...one, ...edits.of(one) }} />,
                    sort: ({ state }) => state,
                  },
                  lastDayColumn(),
                  {
                    title: t().created,
                    cell: ({ createdAt }) => <Time at={createdAt} />,
                    sort: ({ createdAt }) => createdAt,
                  },
                  {
                    title: t().actions,
                    kind: 'number',
                    cell: (one) => {
                      const { enabled } = { ...one, ...edits.of(one) };
                      const text = enabled ? t().disable : t().enable;
                      return (
                        <Button
                          kind="quiet"
                          label={`${text}: ${one.url}`}
                          onClick={() => turn(one)}
                        >
                          {text}
                        </Button>
                      );
                    },
                  },
                ]}
              />
            )}
            <LastDayHint rows={items} />
            <More pages={pages} text={search === undefined ? t().more : t().lists.searchOn} />
          </>
        )}
      </Loaded>
    </Screen>
  );
}
