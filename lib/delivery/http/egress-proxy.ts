import { isIP } from 'node:net';
import { OptionChecks } from '../../common/option-checks.js';

/** The proxy of outgoing connections. */
export interface EgressProxy {
  /** True when the connection to the proxy itself uses TLS. */
  readonly isSecure: boolean;
  readonly host: string;
  readonly port: number;
  /** The value of `Proxy-Authorization`, or null. A secret. */
  readonly authorization: string | null;
}

/**
 * Parses a URL such as `http://user:password@proxy.example.com:3128`.
 *
 * @throws {@link ThornConfigurationError} without the URL, which may contain a password
 */
export function parseEgressProxy(text: unknown): EgressProxy {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  const isOrigin = url?.pathname === '/' && url.search === '' && url.hash === '';
  const isSecure = url?.protocol === 'https:';
  if (url === null || !isOrigin || !(isSecure || url.protocol === 'http:') || url.port === '0') {
    throw invalidUrl();
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  return { isSecure, host, port, authorization: authorizationOf(url) };
}

/** Formats host and port as a request target. */
export function formatAuthority(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

function authorizationOf({ username, password }: URL): string | null {
  if (username === '' && password === '') return null;
  try {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(credentials).toString('base64')}`;
  } catch {
    throw invalidUrl();
  }
}

function invalidUrl(): Error {
  return new OptionChecks('').error(
    'egressProxy',
    'must be an http or https URL without a path, for example http://proxy.example.com:3128; the user and password in ' +
      'it, if any, percent-encoded',
  );
}
