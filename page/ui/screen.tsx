import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiError } from '../core/client.js';
import { isEmbedded, settings } from '../core/settings.js';
import type { Data } from '../core/use-data.js';
import { t } from '../text/index.js';
import { loadText } from '../text/problem-text.js';
import { Button, Empty, Loading, Note } from './basics.js';

interface ScreenOptions {
  readonly title: string;
  readonly lead?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly crumbs?: readonly (readonly [text: string, href: string])[];
  readonly children?: ComponentChildren;
}

let isFirst = true;

/** A screen. Its heading gets the focus, so that users of screen readers hear where they are. */
export function Screen({ title, lead, actions, crumbs = [], children }: ScreenOptions) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isEmbedded()) document.title = `${title} · ${settings.brand.name}`;
  }, [title]);
  useEffect(() => {
    if (!isFirst) heading.current?.focus();
    isFirst = false;
  }, []);
  return (
    <>
      <header class="screen-head">
        <div>
          {crumbs.length > 0 && (
            <p class="crumbs">
              {crumbs.map(([text, href]) => (
                <a key={href} href={href}>
                  {text}
                </a>
              ))}
            </p>
          )}
          <h1 ref={heading} tabIndex={-1} dir="auto">
            {title}
          </h1>
          {lead !== undefined && <div class="lead">{lead}</div>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

/** Shows a value that is read, or the reason why it cannot be read. The last value stays while the server is away. */
export function Loaded<Value>({
  data,
  title,
  children,
}: {
  readonly data: Data<Value>;
  /** The heading of a screen that has its own only once there is a value. */
  readonly title?: string;
  readonly children: (value: Value) => ComponentChildren;
}) {
  if (data.value !== undefined) {
    return (
      <>
        <NotLive error={data.error} reload={data.reload} />
        {children(data.value)}
      </>
    );
  }
  const instead =
    data.error === undefined ? <Loading /> : <Failure error={data.error} reload={data.reload} />;
  return title === undefined ? instead : <Screen title={title}>{instead}</Screen>;
}

/** Says that the shown value is not updated. While the server is away, the whole page says so. */
function NotLive({
  error,
  reload,
}: {
  readonly error: ApiError | undefined;
  readonly reload: () => void;
}) {
  const isShown = error !== undefined && error.status !== 0;
  return (
    <div role="status">
      {isShown && (
        <Note>
          {t().notLive(loadText(error))} <Button onClick={reload}>{t().tryAgain}</Button>
        </Note>
      )}
    </div>
  );
}

export function Failure({
  error,
  reload,
}: {
  readonly error: ApiError;
  readonly reload: () => void;
}) {
  if (error.status === 404) return <Empty title={t().notFound} hint={t().notFoundHint} />;
  return (
    <Empty title={loadText(error)}>
      {error.status !== 501 && <Button onClick={reload}>{t().tryAgain}</Button>}
    </Empty>
  );
}

export function Section({
  title,
  actions,
  children,
}: {
  readonly title: string;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="section">
      <div class="section-head">
        <h2>{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}
