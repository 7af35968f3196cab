import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { isAway, isLockedOut } from './core/client.js';
import { isOperator } from './core/operator.js';
import { linkTo, place } from './core/router.js';
import { container, isEmbedded, settings } from './core/settings.js';
import { Empty } from './ui/basics.js';
import { Screen } from './ui/screen.js';
import { screenFor } from './routes.js';
import { Preferences } from './ui/preferences.js';
import { t } from './text/index.js';

const MENU = [
  ['/', 'overview'],
  ['/endpoints', 'endpoints'],
  ['/deliveries', 'deliveries'],
  ['/events', 'eventTypes'],
] as const;

const OPERATOR_MENU = [
  ['/operator', () => t().overview],
  ['/operator/endpoints', () => t().endpoints],
  ['/operator/deliveries', () => t().deliveries],
  ['/operator/maintenance', () => t().operators.maintenance],
] as const;

export function App() {
  const { path } = place.value;
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
        <header class="side">
          <a class="brand" href={linkTo('/')}>
            {settings.logo !== undefined && <img src={settings.logo} alt="" />}
            {settings.title}
          </a>
          <nav class="menu" aria-label={t().menu}>
            {MENU.map(([to, name]) => (
              <a key={to} href={linkTo(to)} aria-current={isIn(path, to) ? 'page' : undefined}>
                {t()[name]}
              </a>
            ))}
            {isOperator.value && (
              <>
                <p class="menu-title">{t().operator}</p>
                {OPERATOR_MENU.map(([to, name]) => (
                  <a key={to} href={linkTo(to)} aria-current={isIn(path, to) ? 'page' : undefined}>
                    {name()}
                  </a>
                ))}
              </>
            )}
            {settings.links.map(({ label, url }) => (
              <a key={url} href={url} target="_blank" rel="noreferrer">
                {label}
              </a>
            ))}
          </nav>
          <Preferences />
        </header>
        <div>
          <div role="status">{isAway.value && <p class="away">{t().away}</p>}</div>
          <Content>
            {isLockedOut.value && !path.startsWith('/operator') ? <LockedOut /> : screenFor(path)}
          </Content>
        </div>
      </div>
    </>
  );
}

/** Another document has its own main part. */
function Content({ children }: { readonly children: ComponentChildren }) {
  return isEmbedded() ? (
    <section aria-label={settings.title}>{children}</section>
  ) : (
    <main id="content" tabIndex={-1}>
      {children}
    </main>
  );
}

function LockedOut() {
  return (
    <Screen title={settings.title}>
      <Empty title={t().lockedOut} hint={t().lockedOutHint}>
        {settings.signIn !== undefined && (
          <a class="button primary" href={settings.signIn} target="_top">
            {t().signIn}
          </a>
        )}
      </Empty>
    </Screen>
  );
}

function isIn(path: string, menu: string): boolean {
  return path === menu || (menu !== '/' && menu !== '/operator' && path.startsWith(`${menu}/`));
}

/** The address is the router's, so that the link must not change it. */
function skip(event: Event): void {
  event.preventDefault();
  container.querySelector<HTMLElement>('#content')?.focus();
}
