import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { formatAuthority, type EgressProxy } from './egress-proxy.js';
import { loadUndici } from './http-packages.js';
import { attemptError } from './transport-errors.js';
import type { GuardedConnector } from './guarded-connector.js';
import type { RecipientPolicy } from '../recipient-policy/recipient-policy.js';
import { type TlsOptions, type TlsSettings, tlsSettings } from './tls-settings.js';

const KEEP_ALIVE_DELAY = 60_000;

/**
 * Creates connections through a proxy by `CONNECT`, for `http` as well, so the request is the same as without a proxy.
 * The proxy looks names up and judges their addresses; an address in the URL is judged here. TLS runs between this
 * process and the endpoint.
 */
export function proxiedConnector(
  policy: RecipientPolicy,
  proxy: EgressProxy,
  tls?: TlsOptions,
): GuardedConnector {
  const settings = tlsSettings(tls);
  const secure = loadUndici().buildConnector({ ...settings, timeout: 0 });
  return (options, callback) => {
    const { hostname, protocol, port } = options;
    const isTls = protocol === 'https:';
    try {
      if (isIP(hostname) !== 0) policy.checkAddress(hostname);
    } catch (error) {
      callback(error as Error, null);
      return null;
    }
    const target = formatAuthority(hostname, port === '' ? (isTls ? 443 : 80) : Number(port));
    return openTunnel(proxy, settings, target, (error, socket) => {
      if (socket === null) callback(error ?? attemptError('proxy', null), null);
      else if (isTls) secure({ ...options, httpSocket: socket }, callback);
      else callback(null, socket);
    });
  };
}

type Opened = (error: Error | null, socket: Socket | null) => void;

/** Opens the tunnel. @returns the socket to the proxy; the caller destroys the socket to give up */
function openTunnel(
  proxy: EgressProxy,
  settings: TlsSettings,
  target: string,
  opened: Opened,
): Socket {
  const socket = dial(proxy, settings);
  const { authorization } = proxy;
  const request = httpRequest({
    method: 'CONNECT',
    path: target,
    headers: {
      Host: target,
      Connection: 'keep-alive',
      ...(authorization === null ? {} : { 'Proxy-Authorization': authorization }),
    },
    createConnection: () => socket,
  });
  request.once('connect', ({ statusCode }: IncomingMessage, _: unknown, early: Buffer) => {
    const refusal = refusalOf(statusCode ?? 0, early);
    if (refusal === null) return opened(null, socket);
    socket.destroy();
    opened(refusal, null);
  });
  // The original error is dropped: it may contain the request, and with it the credentials.
  request.once('error', (error: NodeJS.ErrnoException) =>
    opened(attemptError('proxy', null, error.code ?? null), null),
  );
  request.end();
  return socket;
}

function dial({ isSecure, host, port }: EgressProxy, settings: TlsSettings): Socket {
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = isSecure
    ? connectTls({ ...settings, ...name, host, port, ALPNProtocols: ['http/1.1'] })
    : connectTcp({ host, port });
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_DELAY);
}

/** Tells whether a socket to a proxy is connected. Certificates are always verified, so then it is `authorized`. */
export function isProxyReached(socket: Socket): boolean {
  return socket instanceof TLSSocket ? socket.authorized : !socket.connecting;
}

/** Answers that are about the proxy itself. Which 5xx is about the endpoint differs from proxy to proxy. */
function isOfProxyItself(status: number): boolean {
  return status < 400 || status === 401 || status === 407 || status === 429;
}

function refusalOf(status: number, early: Buffer): Error | null {
  if (status >= 200 && status < 300) {
    // Bytes sent before the request would be read as an answer.
    return early.length === 0 ? null : attemptError('protocol', null, 'the tunnel spoke first');
  }
  const detail = `the proxy answered ${status}`;
  return attemptError(isOfProxyItself(status) ? 'proxy' : 'unreachable', null, detail);
}
