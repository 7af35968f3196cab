import { shortUrl } from '../core/short-url.js';
import { t } from '../text/index.js';
import { useCopy } from './basics.js';
import { Breakable } from './breakable.js';

interface Options {
  /** Null for an endpoint that the application's settings name. */
  readonly url: string | null;
  readonly description: string | null;
  readonly id: string;
  /** The screen of the endpoint. */
  readonly href?: string;
}

/** An endpoint in a list: its description on two lines at most, and its URL on one, whole on hover and on a narrow page. */
export function EndpointName({ url, description, id, href }: Options) {
  const short = url === null ? id : shortUrl(url);
  const name = (
    <bdi class={description === null ? 'line' : 'lines'} title={url ?? id}>
      {description ?? short}
    </bdi>
  );
  return (
    <div class="endpoint-name">
      <div>
        {href === undefined ? name : <a href={href}>{name}</a>}
        {description !== null && (
          <small class="line" title={url ?? id}>
            <bdi>{short}</bdi>
          </small>
        )}
        {url !== null && (description !== null || short.includes('…')) && (
          <small class="whole-url">
            <bdi>
              <Breakable text={url} />
            </bdi>
          </small>
        )}
      </div>
      {url !== null && <CopyUrl url={url} />}
    </div>
  );
}

function CopyUrl({ url }: { readonly url: string }) {
  const [isCopied, copy] = useCopy(url);
  const label = isCopied ? t().copied : t().lists.copyUrl;
  return (
    <button type="button" class="icon" title={label} onClick={copy}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={isCopied ? 'M3 8.5 6.5 12 13 4.5' : 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3'} />
      </svg>
      <span class="off-screen" aria-live="polite">
        {label}
      </span>
    </button>
  );
}
