import type { Endpoint } from '../core/model.js';
import { t } from '../text/index.js';
import { Copyable } from '../ui/basics.js';

/** The characters of a description that are a name. */
const LONGEST_NAME = 80;

/** The name of an endpoint: the first line of its description, else its host. */
export function nameOf({ description, url }: Pick<Endpoint, 'description' | 'url'>): string {
  const [line = ''] = (description ?? '').trim().split('\n', 1);
  if (line === '') return new URL(url).host;
  return line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME)}…` : line;
}

/** The host and path of an endpoint and its id, each to be copied, and a description that is longer than a name. */
export function Address({ endpoint }: { readonly endpoint: Endpoint }) {
  const { id, url, description } = endpoint;
  const texts = t().lists;
  return (
    <>
      <span class="address">
        <bdi class="break">{url.replace(/^https:\/\//, '')}</bdi>
        <Copyable text={url} label={texts.copyUrl} />
      </span>
      <span class="address">
        <span class="mono break">{id}</span>
        <Copyable text={id} label={texts.copyId} />
      </span>
      {description !== null && nameOf(endpoint) !== description.trim() && (
        <p class="break" dir="auto">
          {description}
        </p>
      )}
    </>
  );
}
