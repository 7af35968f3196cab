import type { AxiosInstance } from 'axios';
import { OptionChecks } from '../../common/option-checks.js';
import { AxiosAdapter } from './axios-adapter.js';
import { Deadlines } from './deadlines.js';
import { type EgressProxy, parseEgressProxy } from './egress-proxy.js';
import { Exchange } from './exchange.js';
import { attemptError } from './transport-errors.js';
import { type ConnectorOptions, guardedConnector } from './guarded-connector.js';
import { OriginPool, type PoolSettings } from './origin-pool.js';
import { proxiedConnector } from './proxied-connector.js';
import type { RecipientPolicy } from '../recipient-policy/recipient-policy.js';
import {
  WebhookHttpClient,
  type WebhookRequest,
  type WebhookResponse,
} from './webhook-http-client.js';

/** Options of {@link UndiciHttpClient}. */
export interface UndiciHttpClientOptions extends ConnectorOptions {
  /** The maximum number of connections to one origin; further requests wait, within their deadline. Default 384. */
  readonly connections?: number;
  /** The number of bytes of an answer's body that are read before the connection is dropped. Default 16384. */
  readonly maxAnswerBytes?: number;
  /** The maximum size of an answer's headers in bytes. Default 16384. */
  readonly maxHeaderBytes?: number;
  /** How long an unused connection is kept, in milliseconds. Default 4000. */
  readonly keepAliveTimeout?: number;
  /**
   * A proxy for all connections by `CONNECT`, for example `http://user:password@proxy.example.com:3128`. The proxy then
   * judges addresses: names are not looked up here. Default: no proxy, regardless of the environment.
   */
  readonly egressProxy?: string | undefined;
}

/** The destination of a URL's requests. */
interface Target {
  readonly href: string;
  readonly origin: string;
  readonly path: string;
}

/**
 * The default client: undici's connections and one deadline for the whole request. The policy judges the URL, and every
 * address before it is dialled. Connections are kept per origin and never shared with another client, so never with
 * another policy.
 */
export class UndiciHttpClient extends WebhookHttpClient {
  readonly #proxy: EgressProxy | null;
  readonly #settings: Omit<PoolSettings, 'connect'>;
  readonly #maxAnswerBytes: number;
  readonly #deadlines = new Deadlines();
  readonly #pools = new Map<RecipientPolicy, PolicyPools>();
  readonly #targets = new WeakMap<URL, Target>();
  #axios: AxiosAdapter | null = null;
  #closed: PromiseWithResolvers | null = null;

  /** @throws `ThornConfigurationError` naming the invalid option */
  constructor(
    private readonly policy: RecipientPolicy,
    private readonly options: UndiciHttpClientOptions = {},
  ) {
    super();
    const check = new OptionChecks('', 'http.');
    this.#maxAnswerBytes = check.integer('maxAnswerBytes', options.maxAnswerBytes ?? 16_384);
    this.#proxy = proxyOf(options, check);
    this.#settings = {
      isDirect: this.#proxy === null,
      connections: check.integer('connections', options.connections ?? 384),
      keepAliveTimeout: check.integer('keepAliveTimeout', options.keepAliveTimeout ?? 4000),
      maxHeaderBytes: check.integer('maxHeaderBytes', options.maxHeaderBytes ?? 16_384),
    };
  }

  /**
   * The axios instance to add interceptors to. A deadline covers the time that interceptors take. Requests that you
   * send with the instance itself go over the same wire, under the client's own policy: by POST, with bytes or text as
   * body, and within 15 seconds unless they have a `timeout`.
   *
   * Until the instance is first asked for, requests go straight to the wire.
   *
   * An interceptor sees the request after it was signed: an interceptor that changes the body breaks the signature. It
   * must return the configuration that it got, or a copy with the same `adapter`; otherwise the attempt fails.
   *
   * @example
   * ```ts
   * constructor(httpClient: UndiciHttpClient) {
   *   httpClient.axios.interceptors.request.use((config) => {
   *     config.headers.set('X-Tenant', 'acme');
   *     return config;
   *   });
   * }
   * ```
   */
  get axios(): AxiosInstance {
    this.#axios ??= new AxiosAdapter((request) => this.#send(request), this.#deadlines);
    return this.#axios.instance;
  }

  override post(request: WebhookRequest): Promise<WebhookResponse> {
    return this.#axios === null ? this.#send(request) : this.#axios.post(request);
  }

  override abort(): void {
    this.#deadlines.expireAll();
  }

  override close(): Promise<void> {
    this.#closed ??= promiseWithResolvers();
    const pools = [...this.#pools.values()].flatMap(({ origins }) => [...origins.values()]);
    for (const pool of pools) pool.close();
    if (this.#pools.size === 0) this.#closed.resolve();
    return this.#closed.promise;
  }

  #send(request: WebhookRequest): Promise<WebhookResponse> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== null) throw attemptError('internal', null, 'the client is closed');
      const policy = request.policy ?? this.policy;
      const { origin, path } = this.#target(policy.checkUrl(request.url));
      const pool = this.#pool(policy, origin);
      const exchange = new Exchange(
        request,
        path,
        this.#maxAnswerBytes,
        pool,
        resolve,
        reject,
        this.#stop,
      );
      this.#deadlines.start(exchange, request.timeout);
      pool.run(exchange);
    });
  }

  readonly #stop = (exchange: Exchange): void => this.#deadlines.stop(exchange);

  /** Parses a URL once for as long as the policy returns the same object for it. */
  #target(url: URL): Target {
    let target = this.#targets.get(url);
    if (target === undefined || target.href !== url.href) {
      target = { href: url.href, origin: url.origin, path: url.pathname + url.search };
      this.#targets.set(url, target);
    }
    return target;
  }

  #pool(policy: RecipientPolicy, origin: string): OriginPool {
    let ofPolicy = this.#pools.get(policy);
    if (ofPolicy === undefined) {
      const connect =
        this.#proxy === null
          ? guardedConnector(policy, this.options)
          : proxiedConnector(policy, this.#proxy, this.options.tls);
      ofPolicy = { settings: { ...this.#settings, connect }, origins: new Map() };
      this.#pools.set(policy, ofPolicy);
    }
    const { settings, origins } = ofPolicy;
    let pool = origins.get(origin);
    if (pool === undefined) {
      pool = new OriginPool(origin, settings, () => this.#forget(policy, origin));
      origins.set(origin, pool);
    }
    return pool;
  }

  #forget(policy: RecipientPolicy, origin: string): void {
    const origins = this.#pools.get(policy)?.origins;
    origins?.delete(origin);
    if (origins?.size === 0) this.#pools.delete(policy);
    if (this.#pools.size === 0) this.#closed?.resolve();
  }
}

/** The connections made under one policy. */
interface PolicyPools {
  readonly settings: PoolSettings;
  readonly origins: Map<string, OriginPool>;
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function promiseWithResolvers(): PromiseWithResolvers {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

function proxyOf(
  { egressProxy, lookup }: UndiciHttpClientOptions,
  check: OptionChecks,
): EgressProxy | null {
  if (egressProxy === undefined) return null;
  check.assert(
    'lookup',
    lookup === undefined,
    'and egressProxy exclude each other, because the proxy looks names up. Leave one of them out',
  );
  return parseEgressProxy(egressProxy);
}
