import { computed, signal } from '@preact/signals';
import { isEmbedded } from './settings.js';

/** The place that the address bar shows: everything is behind the `#`, so that the page works below any path. */
export interface Place {
  /** For example `/deliveries`. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

/** Tells whether a fragment is a place of the page, and not the code of a link. */
export function isPlace(fragment: string): boolean {
  return fragment === '' || fragment.startsWith('#/');
}

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  if (!isEmbedded() && isPlace(location.hash)) hash.value = location.hash;
});

export const place = computed<Place>(() => {
  const [path = '', query = ''] = hash.value.replace(/^#/, '').split('?', 2);
  return {
    path: path.startsWith('/') ? path : '/',
    query: Object.fromEntries(new URLSearchParams(query)),
  };
});

/** The address of a place. Empty values are left out. */
export function linkTo(path: string, query: Readonly<Record<string, string | undefined>> = {}) {
  const given = Object.entries(query).filter((pair): pair is [string, string] => !!pair[1]);
  const text = new URLSearchParams(given).toString();
  return `#${path}${text === '' ? '' : `?${text}`}`;
}

export function go(path: string, query: Readonly<Record<string, string | undefined>> = {}): void {
  if (isEmbedded()) hash.value = linkTo(path, query);
  else location.hash = linkTo(path, query);
}

/** Changes filters in the address without a new step in the history, which would else have a step for each typed letter. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const { path, query } = place.value;
  show(linkTo(path, { ...query, ...changes }));
}

/** Goes to a place, for example `/deliveries?status=failed`, and leaves no step in the history. */
export function replacePlace(to: string): void {
  show(`#${to}`);
}

function show(fragment: string): void {
  if (!isEmbedded()) history.replaceState(null, '', fragment);
  hash.value = fragment;
}

/** Lets links navigate within an element, because the address bar belongs to the document around it. */
export function follow(element: HTMLElement): void {
  element.addEventListener('click', (event) => {
    const link = event.composedPath().find((one) => one instanceof HTMLAnchorElement);
    const to = link?.getAttribute('href') ?? '';
    if (!to.startsWith('#/')) return;
    event.preventDefault();
    hash.value = to;
  });
}
