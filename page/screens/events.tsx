import { call } from '../core/client.js';
import { linkTo } from '../core/router.js';
import { apiUrl, settings } from '../core/settings.js';
import { owner } from '../core/source.js';
import { useAction, useData } from '../core/use-data.js';
import { t } from '../text/index.js';
import { Button, Empty, ErrorNote } from '../ui/basics.js';
import { Content, save } from '../ui/content.js';
import { Breakable } from '../ui/breakable.js';
import { Loaded, Screen } from '../ui/screen.js';
import { grouped, useCatalogue } from './event-picker.js';

export function EventsScreen({ name }: { readonly name: string }) {
  const catalogue = useCatalogue();
  return (
    <Screen title={t().eventTypes} actions={<Documents />}>
      <Loaded data={catalogue} as="list">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t().noEvents} hint={t().noEventsHint} />
          ) : (
            <Events groups={grouped(items)} name={name} />
          )
        }
      </Loaded>
    </Screen>
  );
}

interface EventsOptions {
  readonly groups: ReturnType<typeof grouped>;
  /** Of the event that is shown; empty for the first one. */
  readonly name: string;
}

function Events({ groups, name }: EventsOptions) {
  const shown = name === '' ? groups[0]![1][0]!.name : name;
  return (
    <div class="list-detail">
      <nav aria-label={t().eventTypes}>
        {groups.map(([group, list]) => (
          <div key={group}>
            <h2>{group}</h2>
            {list.map((one) => (
              <a
                key={one.name}
                href={linkTo(`/events/${encodeURIComponent(one.name)}`)}
                aria-current={one.name === shown ? 'page' : undefined}
              >
                <Breakable text={one.name} />
              </a>
            ))}
          </div>
        ))}
      </nav>
      <div>
        <EventPanel key={shown} name={shown} />
      </div>
    </div>
  );
}

/** Links to the documents that the application serves or, without such documents, to the documents of the REST API. */
function Documents() {
  const { openApi, asyncApi } = settings.documents;
  const download = useAction(async (file: string) => {
    save(JSON.stringify(await call(apiUrl, file), null, 2), file);
  });
  return (
    <>
      {(
        [
          ['OpenAPI', 'openapi.json', openApi],
          ['AsyncAPI', 'asyncapi.json', asyncApi],
        ] as const
      ).map(([name, file, url]) =>
        url === undefined ? (
          <Button key={name} isBusy={download.isBusy} onClick={() => download.run(file)}>
            {t().downloadOf(name)}
          </Button>
        ) : (
          <a key={name} class="button plain" href={url} target="_blank" rel="noreferrer">
            {name}
          </a>
        ),
      )}
      <ErrorNote error={download.error} />
    </>
  );
}

function EventPanel({ name }: { readonly name: string }) {
  const data = useData(`event ${name}`, (signal) => owner.eventType(name, signal));
  return (
    <Loaded data={data} as="text box box">
      {({ description, deprecated, replacedBy, schema, example }) => (
        <section aria-label={name}>
          <h2 class="break">{name}</h2>
          {description !== null && <p class="faint break">{description}</p>}
          {deprecated && <p class="hint">{t().deprecatedFor(replacedBy)}</p>}
          {example === null ? (
            <p class="hint">{t().noExample}</p>
          ) : (
            <Content label={t().example} text={JSON.stringify(example, null, 2)} />
          )}
          {schema === null ? (
            <p class="hint">{t().noSchema}</p>
          ) : (
            <Content label={t().schema} text={JSON.stringify(schema, null, 2)} />
          )}
        </section>
      )}
    </Loaded>
  );
}
