import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiError } from '../core/client.js';
import { isEmbedded, settings } from '../core/settings.js';
import { isOfServer } from '../core/troubles.js';
import type { Data } from '../core/use-data.js';
import { t } from '../text/index.js';
import { loadText } from '../text/problem-text.js';
import { Button, Empty, Note } from './basics.js';
import { Skeleton } from './skeleton.js';

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

interface LoadedOptions<Value> {
  readonly data: Data<Value>;
  /** The shape of the value until it is there. */
  readonly as: string;
  /** The head of a screen that has its own only once there is a value. */
  readonly head?: Pick<ScreenOptions, 'title' | 'crumbs'>;
  readonly children: (value: Value) => ComponentChildren;
}

/**
 * Shows a value that is read, its shape until then, or the reason why it cannot be read. While the server has a fault,
 * the last value stays, and the whole page says so.
 */
export function Loaded<Value>({ data, as, head, children }: LoadedOptions<Value>) {
  const { value, reload } = data;
  const refusal = refusalOf(data);
  if (value !== undefined) {
    return (
      <>
        <div role="status">
          {refusal !== undefined && (
            <Note>
              {t().notLive(loadText(refusal))} <Button onClick={reload}>{t().tryAgain}</Button>
            </Note>
          )}
        </div>
        {children(value)}
      </>
    );
  }
  const instead =
    refusal === undefined ? <Skeleton as={as} /> : <Failure error={refusal} reload={reload} />;
  if (head === undefined) return instead;
  return (
    <Screen {...head} lead={refusal === undefined && <Skeleton as="line" />}>
      {instead}
    </Screen>
  );
}

/** Why the API refuses data. The whole page tells of other errors. */
function refusalOf({ error }: Data<unknown>): ApiError | undefined {
  return error !== undefined && isOfServer(error) ? undefined : error;
}

/** True until all of some data are there or refused, for parts of a screen that would move each other. */
export function isWaitingFor(...all: readonly Data<unknown>[]): boolean {
  return all.some((one) => one.value === undefined && refusalOf(one) === undefined);
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
