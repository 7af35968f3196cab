import type { FailingEndpoint } from '../core/operator.js';
import { linkTo } from '../core/router.js';
import { number, t } from '../text/index.js';
import { Badge, Time } from '../ui/basics.js';
import { EndpointName } from '../ui/endpoint-name.js';
import { Section } from '../ui/screen.js';
import { Table } from '../ui/table.js';

interface Options {
  readonly rows: readonly FailingEndpoint[];
  /** The number of all that fail, of which `rows` has a part. */
  readonly total: number;
}

/** Endpoints that have failed for the longest time, those of one owner together. */
export function FailingEndpoints({ rows, total }: Options) {
  const texts = t().operators;
  if (rows.length === 0) return null;
  return (
    <Section title={texts.failingEndpoints}>
      <Table
        caption={texts.failingEndpoints}
        rows={byOwner(rows)}
        isWhole={total <= rows.length}
        keyOf={({ subscriberId }) => subscriberId}
        columns={[
          {
            title: t().owner,
            cell: ({ owner }) => <OwnerLink owner={owner} />,
            sort: ({ owner }) => owner ?? '',
          },
          {
            title: t().endpoint,
            kind: 'name',
            cell: ({ subscriberId, url, description }) => (
              <>
                <EndpointName
                  {...{ url, description, id: subscriberId }}
                  {...(url !== null && { href: linkTo(`/operator/endpoints/${subscriberId}`) })}
                />
                {url === null && <small>{texts.notStored}</small>}
              </>
            ),
          },
          {
            title: t().state,
            cell: ({ state }) => (state === null ? '–' : <Badge state={state} />),
          },
          {
            title: texts.failingSince,
            cell: ({ failingSince }) => <Time at={new Date(failingSince).toISOString()} />,
            sort: ({ failingSince }) => failingSince,
          },
          {
            title: texts.messages,
            kind: 'number',
            cell: ({ subscriberId, failingMessages }) => (
              // Of any status: a delivery that has failed so far may still be pending.
              <a href={linkTo('/operator/deliveries', { endpoint: subscriberId })}>
                {number(failingMessages)}
              </a>
            ),
            sort: ({ failingMessages }) => failingMessages,
          },
        ]}
      />
      {total > rows.length && (
        <p class="hint">{t().lists.shownOf(number(rows.length), number(total))}</p>
      )}
    </Section>
  );
}

/** Leads to the endpoints of an owner. */
export function OwnerLink({ owner }: { readonly owner: string | null | undefined }) {
  if (owner == null) return <span class="faint">{t().applicationsOwn}</span>;
  return (
    <a href={linkTo('/operator/endpoints', { owner })}>
      <bdi class="break">{owner}</bdi>
    </a>
  );
}

/** The owners in the order of their first endpoint, which has failed for the longest time. */
function byOwner(rows: readonly FailingEndpoint[]): readonly FailingEndpoint[] {
  const owners = [...new Set(rows.map(({ owner }) => owner))];
  return owners.flatMap((owner) => rows.filter((one) => one.owner === owner));
}
