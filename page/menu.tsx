import { useEffect, useRef, useState } from 'preact/hooks';
import { health } from './core/health.js';
import { failingEndpoints, isOperator } from './core/operator.js';
import { linkTo } from './core/router.js';
import { settings } from './core/settings.js';
import { number, t } from './text/index.js';
import { Keys } from './ui/keys.js';
import { Preferences } from './ui/preferences.js';

/** Drawn in 16 units, by lines alone. */
const ICONS = {
  overview: 'M2 13.5h12M4 11V8m4 3V3m4 8V6',
  endpoints:
    'M6.5 9.5l3-3M7 4.5l1.6-1.6a3.2 3.2 0 0 1 4.5 4.5L11.5 9M9 11.5l-1.6 1.6a3.2 3.2 0 0 1-4.5-4.5L4.5 7',
  deliveries: 'M14 2L7 9M14 2l-4.5 12L7 9 2 6.5z',
  events: 'M9 1.5L3 9h5l-1 5.5L13 7H8z',
  maintenance: 'M2 4.5h6m4 0h2M2 11.5h2m4 0h6M10 2.5v4M6 9.5v4',
  outside: 'M6 3H3v10h10v-3M9 2.5h4.5V7M13 3L7.5 8.5',
} as const;

const MENU = [
  ['/', 'overview', () => t().overview],
  ['/endpoints', 'endpoints', () => t().endpoints],
  ['/deliveries', 'deliveries', () => t().deliveries],
  ['/events', 'events', () => t().eventTypes],
] as const;

const OPERATOR_MENU = [
  ['/operator', 'overview', () => t().overview],
  ['/operator/endpoints', 'endpoints', () => t().endpoints],
  ['/operator/deliveries', 'deliveries', () => t().deliveries],
  ['/operator/maintenance', 'maintenance', () => t().operators.maintenance],
] as const;

/** The name of the page, its menu and its preferences: at the side, or behind a button where the page is narrow. */
export function Menu({ path }: { readonly path: string }) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => setOpen(false), [path]);
  const close = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !isOpen) return;
    setOpen(false);
    button.current?.focus();
  };
  const { logo, name: title } = settings.brand;
  return (
    <header class="side" onKeyDown={close}>
      <a class="brand" href={linkTo('/')}>
        {logo !== undefined && <img src={logo} alt="" />}
        {title}
      </a>
      <button
        ref={button}
        class="button menu-button"
        type="button"
        aria-expanded={isOpen}
        aria-controls="menu"
        onClick={() => setOpen(!isOpen)}
      >
        {t().menu}
        <Ill />
      </button>
      <div class={`side-body ${isOpen ? 'open' : ''}`} id="menu">
        <nav class="menu" aria-label={t().menu}>
          {MENU.map(([to, icon, nameOf]) => (
            <a key={to} href={linkTo(to)} aria-current={isIn(path, to) ? 'page' : undefined}>
              <Icon of={icon} />
              {nameOf()}
              {to === '/endpoints' && <Ill />}
            </a>
          ))}
          {isOperator.value && (
            <>
              <p class="menu-title">{t().operator}</p>
              {OPERATOR_MENU.map(([to, icon, nameOf]) => (
                <a key={to} href={linkTo(to)} aria-current={isIn(path, to) ? 'page' : undefined}>
                  <Icon of={icon} />
                  {nameOf()}
                  {to === '/operator' && (
                    <Count
                      count={failingEndpoints.value}
                      text={t().health.failing(number(failingEndpoints.value))}
                    />
                  )}
                </a>
              ))}
            </>
          )}
          {settings.links.map(({ label, url }) => (
            <a key={url} href={url} target="_blank" rel="noreferrer">
              <Icon of="outside" />
              {label}
            </a>
          ))}
        </nav>
        <Preferences />
      </div>
      {/* Outside of the part that a narrow page hides, because its dialog opens by a key as well. */}
      <Keys />
    </header>
  );
}

function Icon({ of }: { readonly of: keyof typeof ICONS }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <path d={ICONS[of]} />
    </svg>
  );
}

/** The number of endpoints that somebody has to look at. */
function Ill() {
  const { failing = 0, disabled = 0 } = health.value ?? {};
  const texts = [
    ...(failing > 0 ? [t().health.failing(number(failing))] : []),
    ...(disabled > 0 ? [t().health.disabled(number(disabled))] : []),
  ];
  return <Count count={failing + disabled} text={texts.join(', ')} />;
}

function Count({ count, text }: { readonly count: number; readonly text: string }) {
  if (count === 0) return null;
  return (
    <span class="count" title={text}>
      <span aria-hidden="true">{number(count)}</span>
      <span class="off-screen"> ({text})</span>
    </span>
  );
}

function isIn(path: string, menu: string): boolean {
  return path === menu || (menu !== '/' && menu !== '/operator' && path.startsWith(`${menu}/`));
}
