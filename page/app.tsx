import type { ComponentChildren } from 'preact';
import { useEffect, useErrorBoundary, useRef } from 'preact/hooks';
import { ApiError, wasLetIn } from './core/client.js';
import { useHealth } from './core/health.js';
import { place } from './core/router.js';
import { isEntering, isOut, tryAccess, visit } from './core/session.js';
import { container, isEmbedded, settings } from './core/settings.js';
import { useAction } from './core/use-data.js';
import { Banner } from './ui/banner.js';
import { Button } from './ui/basics.js';
import { Failure } from './ui/screen.js';
import { isLoading, Skeleton } from './ui/skeleton.js';
import { screenFor } from './routes.js';
import { Menu } from './menu.js';
import { t } from './text/index.js';

export function App() {
  const { path } = place.value;
  // The screens of operators have other figures.
  useHealth(!path.startsWith('/operator') && !isEntering.value);
  useEffect(() => {
    if (!isEmbedded()) scrollTo(0, 0);
  }, [path]);
  return (
    <>
      {!isEmbedded() && (
        <a class="skip" href="#content" onClick={skip}>
          {t().skip}
        </a>
      )}
      <div class="frame">
        <Menu path={path} />
        <div>
          <Banner />
          <div role="status" class="off-screen">
            {isLoading.value && t().loading}
          </div>
          <Content>
            {isEntering.value ? (
              <Skeleton as="line tiles rows" />
            ) : (
              <>
                {isOut.value && <LockedOut />}
                {/* What was typed outlasts the renewal of a session, and nothing else outlasts another link. */}
                <div hidden={isOut.value}>
                  <Shown key={visit.value} path={path} />
                </div>
              </>
            )}
          </Content>
        </div>
      </div>
    </>
  );
}

/** The content of the page. In an element it is no `<main>`, because the document around it has one. */
function Content({ children }: { readonly children: ComponentChildren }) {
  return isEmbedded() ? (
    <section class="main" aria-label={settings.brand.name}>
      {children}
    </section>
  ) : (
    <main class="main" id="content" tabIndex={-1}>
      {children}
    </main>
  );
}

/** A screen, or the reason why it cannot be shown: a fault of the page, or an answer that does not come from the API. */
function Shown({ path }: { readonly path: string }) {
  const [failure, again] = useErrorBoundary((error: unknown) => reportError(error));
  useEffect(() => again(), [path]);
  if (failure !== undefined) return <Failure error={new ApiError(-1)} reload={again} />;
  return screenFor(path);
}

function LockedOut() {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const access = useAction(tryAccess);
  return (
    <div class="empty">
      <h1 class="empty-title" ref={heading} tabIndex={-1}>
        {t().lockedOut}
      </h1>
      <p class="faint">{wasLetIn.value ? t().lockedOutMeanwhile : t().lockedOutHint}</p>
      <div class="stack">
        {settings.signIn !== undefined && (
          // The text in the form is still here when the user comes back.
          <a
            class="button primary"
            href={settings.signIn}
            target={wasLetIn.value ? '_blank' : '_top'}
          >
            {t().signIn}
          </a>
        )}
        <Button onClick={access.run} isBusy={access.isBusy}>
          {t().tryAgain}
        </Button>
      </div>
    </div>
  );
}

/** Moves the focus by script: the address belongs to the router, so the link must not change it. */
function skip(event: Event): void {
  event.preventDefault();
  container.querySelector<HTMLElement>('#content')?.focus();
}
