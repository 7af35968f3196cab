import { linkTo } from '../core/router.js';
import { can } from '../core/session.js';
import { t } from '../text/index.js';
import { Code } from '../ui/content.js';

interface Options {
  /** The id of the first endpoint; undefined before there is one. */
  readonly endpoint?: string | undefined;
}

/** The way to the first webhook in three steps. The step that comes next has the button. */
export function FirstVisit({ endpoint }: Options) {
  const texts = t().firstVisit;
  const mayAdd = can('write', 'secrets');
  return (
    <section class="first-visit">
      <h2>{endpoint === undefined ? t().noEndpoints : texts.almost}</h2>
      <p class="faint">{t().noEndpointsHint}</p>
      <ol>
        <li class={endpoint === undefined ? 'now' : 'done'}>
          <h3>
            {texts.add}
            {endpoint !== undefined && <span class="good"> {t().done}</span>}
          </h3>
          <p>{texts.addHint}</p>
          {endpoint === undefined && mayAdd && (
            <>
              <a class="button primary" href={linkTo('/endpoints/new')}>
                {t().addEndpoint}
              </a>
              <details>
                <summary>{texts.noServer}</summary>
                <p>{texts.listenHint}</p>
                <Code label={texts.terminal} text="npx thorn listen --port 4000" />
                <p class="faint">{texts.listenUrl}</p>
              </details>
            </>
          )}
        </li>
        <li class={endpoint === undefined ? '' : 'now'}>
          <h3>{texts.test}</h3>
          <p>{texts.testHint}</p>
          {endpoint !== undefined && (
            <a class="button primary" href={linkTo(`/endpoints/${endpoint}`)}>
              {t().toEndpoint}
            </a>
          )}
        </li>
        <li>
          <h3>{texts.arrive}</h3>
          <p>{texts.arriveHint}</p>
        </li>
      </ol>
    </section>
  );
}
