import { computed, signal } from '@preact/signals';
import type { Capability } from '../../lib/portal/index.js';
import { ApiError, authorization, call, isLockedOut, RETRY } from './client.js';
import { isPlace, place, replacePlace } from './router.js';
import { apiUrl, isEmbedded, sessionUrl, settings } from './settings.js';
import { setTrouble } from './troubles.js';

/** The capabilities of a link's session; null without a session, when the application's own guards decide. */
export const capabilities = signal<readonly Capability[] | null>(null);

/** True until the code of a link is exchanged. */
export const isEntering = signal(false);

/**
 * A number that changes when a link is opened, so that the screens are built again: their data may not be for the
 * holder of the link.
 */
export const visit = signal(0);

/** True when the caller is locked out of the screens of owners. The operator API decides about its own screens. */
export const isOut = computed(() => isLockedOut.value && !place.value.path.startsWith('/operator'));

/** Milliseconds before the end of a session at which the embedding page is asked for another code. */
const EARLY = 5 * 60_000;
let renewal: ReturnType<typeof setTimeout> | undefined;

/** Tells whether the caller may try to do something; the API decides. */
export function can(...wanted: readonly Capability[]): boolean {
  return capabilities.value === null || wanted.every((one) => capabilities.value!.includes(one));
}

/** The answer to the exchange of a code. */
interface Session {
  readonly token: string;
  readonly capabilities: readonly Capability[];
}

/**
 * Keeps the session in the storage of the tab, so that reloading the page does not end it. Pages in frames may have no
 * storage.
 */
const kept = {
  name: `thorn-session ${sessionUrl.pathname}`,
  read(): (Session & { readonly endsAt: number }) | null {
    try {
      return JSON.parse(sessionStorage.getItem(this.name) ?? 'null');
    } catch {
      return null;
    }
  },
  write(session: (Session & { readonly endsAt: number }) | null): void {
    // The storage belongs to the document around the element, whose scripts could read the token.
    if (isEmbedded()) return;
    try {
      if (session === null) sessionStorage.removeItem(this.name);
      else sessionStorage.setItem(this.name, JSON.stringify(session));
    } catch {
      // Without storage, the session lasts until the user leaves the page.
    }
  },
};

/** Begins the session of the link in the address, or continues the session from before the page was reloaded. */
export function enter(): void {
  addEventListener('hashchange', enterByLink);
  if (enterByLink()) return;
  const session = kept.read();
  // A user who comes by a new navigation may be signed in to the application as another user, so the stored session ends.
  const [entry] = performance.getEntriesByType('navigation');
  const isBack = (entry as PerformanceNavigationTiming | undefined)?.type !== 'navigate';
  if (session !== null && isBack && session.endsAt > Date.now()) begin(session, session.endsAt);
  else kept.write(null);
}

/** Removes the code of a link from the address at once, and ends the session that the tab had before. */
function enterByLink(): boolean {
  const given = new URLSearchParams(location.hash.slice(1));
  const code = given.get('code');
  if (code === null || isPlace(location.hash)) return false;
  const next = given.get('next');
  replacePlace(next?.startsWith('/') === true ? next : '/');
  kept.write(null);
  authorization.value = null;
  capabilities.value = null;
  isLockedOut.value = false;
  visit.value += 1;
  void exchange(code);
  return true;
}

let latest = 0;

/** Begins the session of a code, or renews the present session. */
export async function exchange(code: string): Promise<void> {
  latest += 1;
  const turn = latest;
  isEntering.value = authorization.value === null;
  for (;;) {
    const session = await sessionOf(code);
    if (turn !== latest) return;
    if (session !== 'away') {
      setTrouble(exchange);
      isEntering.value = false;
      // A refused code does not end the session that it should renew.
      if (session !== null) begin(session, Date.now() + session.expiresIn);
      else if (authorization.value === null) isLockedOut.value = true;
      return;
    }
    await new Promise<void>((again) => {
      setTimeout(again, RETRY);
      setTrouble(exchange, { error: new ApiError(0), again });
    });
    if (turn !== latest) return;
  }
}

/** @returns null for a code that is refused */
async function sessionOf(
  code: string,
): Promise<(Session & { readonly expiresIn: number }) | 'away' | null> {
  try {
    const response = await fetch(sessionUrl, {
      method: 'POST',
      credentials: 'omit',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });
    if (response.status >= 500 || response.status === 429) return 'away';
    const answer = response.ok ? ((await response.json()) as Session) : null;
    return typeof answer?.token === 'string'
      ? (answer as Session & { readonly expiresIn: number })
      : null;
  } catch (error) {
    return error instanceof SyntaxError ? null : 'away';
  }
}

function begin(session: Session, endsAt: number): void {
  authorization.value = `Bearer ${session.token}`;
  capabilities.value = session.capabilities;
  isLockedOut.value = false;
  kept.write({ ...session, endsAt });
  clearTimeout(renewal);
  renewal = setTimeout(() => askForCode(), Math.max(0, endsAt - Date.now() - EARLY));
}

/** Checks whether the API lets the caller in again, for example after signing in in another tab. Text in forms stays. */
export async function tryAccess(): Promise<void> {
  await call(apiUrl, 'event-types');
  isLockedOut.value = false;
}

document.addEventListener('visibilitychange', () => {
  if (isOut.value && !document.hidden) tryAccess().catch(() => {});
});

let askForCode = () => {};

/** Sets the function that asks for another code, shortly before the session ends or after its end. */
export function onRenewal(ask: () => void): void {
  askForCode = ask;
}

isLockedOut.subscribe((isOver) => {
  if (!isOver) return;
  kept.write(null);
  askForCode();
});

/** Takes codes and authorizations from the embedding page, if its origin is one that may frame this page. */
export function listenToParent(): void {
  if (parent === window) return;
  // The embedding page may answer with `{ type: 'thorn:code', code }`. The question has no secret, so every origin may read it.
  onRenewal(() => parent.postMessage({ type: 'thorn:renew' }, '*'));
  addEventListener('message', ({ source, origin, data }: MessageEvent<unknown>) => {
    if (source !== parent || !isTrusted(origin)) return;
    const { type, code, value } = (data ?? {}) as Readonly<Record<string, unknown>>;
    if (type === 'thorn:code' && typeof code === 'string') void exchange(code);
    if (type === 'thorn:authorization' && typeof value === 'string') {
      authorization.value = value;
      isLockedOut.value = false;
    }
  });
}

/** Tells whether an origin is one of the origins of the option, in which `*` stands for one label or any port. */
function isTrusted(origin: string): boolean {
  return [location.origin, ...settings.origins].some((one) => {
    const pattern = one.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[\\w.-]+');
    return new RegExp(`^${pattern}$`, 'i').test(origin);
  });
}
