import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { buildConnector } from 'undici';
import { authorityOf, type EgressProxy } from './egress-proxy.js';
import { attemptError } from './transport-errors.js';
import type { GuardedConnector } from './guarded-connector.js';
import type { RecipientPolicy } from '../recipient-policy/recipient-policy.js';
import { type TlsOptions, type TlsSettings, tlsSettings } from './tls-settings.js';

const KEEP_ALIVE_DELAY = 60_000;

/**
 * Makes connections through a proxy, by `CONNECT`, also for `http`: what is sent through it is the same as without it.
 * Names are the proxy's to look up and its addresses to judge; an address that stands in the URL is judged here. TLS
 * goes on to be between us and the endpoint.
 */
export function proxiedConnector(
  policy: RecipientPolicy,
  proxy: EgressProxy,
  tls?: TlsOptions,
): GuardedConnector {
  const settings = tlsSettings(tls);
  const secure = buildConnector({ ...settings, timeout: 0 });
  return (options, callback) => {
    const { hostname, protocol, port } = options;
    const isTls = protocol === 'https:';
    try {
      if (isIP(hostname) !== 0) policy.checkAddress(hostname);
    } catch (error) {
      callback(error as Error, null);
      return null;
    }
    const target = authorityOf(hostname, port === '' ? (isTls ? 443 : 80) : Number(port));
    return openTunnel(proxy, settings, target, (error, socket) => {
      if (socket === null) callback(error ?? attemptError('proxy', null), null);
      else if (isTls) secure({ ...options, httpSocket: socket }, callback);
      else callback(null, socket);
    });
  };
}

type Opened = (error: Error | null, socket: Socket | null) => void;

/** @returns the socket to the proxy, which may be destroyed to give up */
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
  // Not what was thrown: it may show the request, and with it the credentials.
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

function refusalOf(status: number, early: Buffer): Error | null {
  if (status >= 200 && status < 300) {
    // Whoever speaks before it is asked would be heard as an answer.
    return early.length === 0 ? null : attemptError('protocol', null, 'the tunnel spoke first');
  }
  const detail = `the proxy answered ${status}`;
  return attemptError(status === 407 ? 'proxy' : 'unreachable', null, detail);
}
