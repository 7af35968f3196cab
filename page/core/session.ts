import { signal } from '@preact/signals';
import type { Capability } from '../../lib/portal/index.js';
import { authorization, isLockedOut } from './client.js';
import { go } from './router.js';
import { sessionUrl, settings } from './settings.js';

/** The capabilities of a link's session; null: the application's own guards say what the caller may do. */
export const capabilities = signal<readonly Capability[] | null>(null);

/** Patterns of the events that the link is for; null: all. */
export const events = signal<readonly string[] | null>(null);

/** Milliseconds before the end of a session at which the embedding page is asked for another code. */
const EARLY = 5 * 60_000;
let renewal: ReturnType<typeof setTimeout> | undefined;

/** Tells whether the caller may try to do something; the API decides. */
export function can(...wanted: readonly Capability[]): boolean {
  return capabilities.value === null || wanted.every((one) => capabilities.value!.includes(one));
}

/** Begins the session of the link in the address, and takes its code out of the address at once. */
export async function enterByLink(): Promise<void> {
  const given = new URLSearchParams(location.hash.slice(1));
  const code = given.get('code');
  if (code === null || location.hash.startsWith('#/')) return;
  history.replaceState(null, '', '#/');
  const next = given.get('next');
  await exchange(code);
  go(next?.startsWith('/') === true ? next : '/');
}

/** Begins the session of a code. */
export async function exchange(code: string): Promise<void> {
  const response = await fetch(sessionUrl, {
    method: 'POST',
    credentials: 'omit',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  }).catch(() => null);
  if (response?.ok !== true) {
    isLockedOut.value = true;
    return;
  }
  const session = (await response.json()) as {
    readonly token: string;
    readonly capabilities: readonly Capability[];
    readonly events: readonly string[] | null;
    readonly expiresIn: number;
  };
  authorization.value = `Bearer ${session.token}`;
  capabilities.value = session.capabilities;
  events.value = session.events;
  isLockedOut.value = false;
  clearTimeout(renewal);
  renewal = setTimeout(() => askForCode(), Math.max(0, session.expiresIn - EARLY));
}

let askForCode = () => {};

/** Says how to ask for another code before the session ends, or once it has. */
export function onRenewal(ask: () => void): void {
  askForCode = ask;
}

isLockedOut.subscribe((isOut) => {
  if (isOut) askForCode();
});

/** Takes codes and authorizations from the embedding page, if its origin is one that may frame this page. */
export function listenToParent(): void {
  if (parent === window) return;
  // It may answer with `{ type: 'thorn:code', code }`. The question holds nothing secret.
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

/** Compares an origin with those of the option, in which `*` stands for one label or any port. */
function isTrusted(origin: string): boolean {
  return [location.origin, ...settings.origins].some((one) => {
    const pattern = one.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[\\w.-]+');
    return new RegExp(`^${pattern}$`, 'i').test(origin);
  });
}
