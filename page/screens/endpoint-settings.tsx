import { now } from '../core/clock.js';
import type { Endpoint } from '../core/model.js';
import { dateTime, t } from '../text/index.js';
import { Content } from '../ui/content.js';
import { Countdown } from '../ui/countdown.js';
import { FORM_FIELD_LIST } from './endpoint-fields.js';
import { Patterns } from './endpoints.js';

/** Fields that have a place of their own: the head of the screen, or a list. */
const SHOWN_ELSEWHERE = new Set<string>(['url', 'description', 'events', 'exclude', 'filter']);

export function Settings({ endpoint }: { readonly endpoint: Endpoint }) {
  const { events, exclude, filter, contentType, format } = endpoint;
  const { rotationEndsAt, createdAt, key } = endpoint;
  return (
    <dl class="facts">
      <div>
        <dt>{t().events}</dt>
        <dd>
          <Patterns patterns={events} />
        </dd>
      </div>
      {exclude.length > 0 && (
        <div>
          <dt>{t().exclude}</dt>
          <dd>
            <Patterns patterns={exclude} />
          </dd>
        </div>
      )}
      {FORM_FIELD_LIST.filter(([name]) => !SHOWN_ELSEWHERE.has(name)).map(
        ([name, { label, text }]) =>
          text(endpoint) !== '' && (
            <div key={name}>
              <dt>{label()}</dt>
              <dd dir="auto">{text(endpoint)}</dd>
            </div>
          ),
      )}
      {rotationEndsAt !== null && Date.parse(rotationEndsAt) > now() && (
        <div>
          <dt>{t().form.oldSecret}</dt>
          <dd>
            <Countdown until={rotationEndsAt} />
          </dd>
        </div>
      )}
      {format !== 'standard' && (
        <div>
          <dt>{t().format}</dt>
          <dd>{format}</dd>
        </div>
      )}
      {contentType !== 'application/json' && (
        <div>
          <dt>{t().contentType}</dt>
          <dd>{contentType}</dd>
        </div>
      )}
      <div>
        <dt>{t().created}</dt>
        <dd>{dateTime(createdAt)}</dd>
      </div>
      {key !== null && (
        <div>
          <dt>{t().form.key}</dt>
          <dd>
            <bdi class="break">{key}</bdi>
          </dd>
        </div>
      )}
      {filter !== null && (
        <div>
          <dt class="off-screen">{t().filter}</dt>
          <dd>
            <Content label={t().filter} text={JSON.stringify(filter)} />
          </dd>
        </div>
      )}
    </dl>
  );
}
