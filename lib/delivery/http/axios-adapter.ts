import type { AxiosInstance, AxiosResponse, AxiosStatic, InternalAxiosRequestConfig } from 'axios';
import { errorText } from '../../common/log.js';
import { RecipientRefusedError } from '../../errors/index.js';
import { AttemptError } from '../attempt/attempt.js';
import { type Deadlines, SWEEP_INTERVAL, Timed } from './deadlines.js';
import { loadAxios } from './http-packages.js';
import { attemptError } from './transport-errors.js';
import type { WebhookRequest, WebhookResponse } from './webhook-http-client.js';

type Wire = (request: WebhookRequest) => Promise<WebhookResponse>;
type Headers = InstanceType<AxiosStatic['AxiosHeaders']>;
type Config = InternalAxiosRequestConfig<unknown> & { readonly keepAlive?: boolean };

/** Milliseconds for requests that the application sends by axios itself without a `timeout`. */
const DIRECT_TIMEOUT = 15_000;

/** Passes requests through an axios instance, whose adapter is the wire. */
export class AxiosAdapter {
  readonly instance: AxiosInstance;
  readonly #headers: AxiosStatic['AxiosHeaders'];
  readonly #adapters = new WeakSet<object>();

  constructor(
    private readonly wire: Wire,
    private readonly deadlines: Deadlines,
  ) {
    const axios = loadAxios();
    this.#headers = axios.AxiosHeaders;
    this.instance = axios.create({
      adapter: this.#adapter(),
      // The bytes sent must be the bytes signed.
      transformRequest: [],
      transformResponse: [],
      validateStatus: () => true,
      proxy: false,
      maxRedirects: 0,
    });
    // A request has the same headers as without axios.
    this.instance.defaults.headers.common = {};
    // The first interceptor is the last one that runs before the adapter.
    this.instance.interceptors.request.use((config) => this.#checked(config));
  }

  post(request: WebhookRequest): Promise<WebhookResponse> {
    return new Promise((resolve, reject) => {
      // The time that an interceptor takes counts towards the deadline.
      const limit = new Limit(request, reject);
      this.deadlines.start(limit, request.timeout);
      void this.#answer(request, limit, resolve, reject);
    });
  }

  async #answer(
    request: WebhookRequest,
    limit: Limit,
    resolve: (answer: WebhookResponse) => void,
    reject: (error: Error) => void,
  ): Promise<void> {
    try {
      resolve(await this.#request(request, limit));
    } catch (error) {
      reject(ownError(error));
    } finally {
      this.deadlines.stop(limit);
    }
  }

  async #request(request: WebhookRequest, limit: Limit): Promise<WebhookResponse> {
    const { url, headers, body: data, timeout, keepAlive } = request;
    const adapter = this.#adapter({ request, limit });
    const config = { method: 'post', url, headers, data, timeout, keepAlive, adapter } as object;
    return responseOf(await this.instance.request<unknown, AxiosResponse<unknown>>(config));
  }

  /** @param origin passed outside of the configuration, because an interceptor may replace the configuration */
  #adapter(origin?: Origin): (config: Config) => Promise<AxiosResponse<unknown>> {
    const adapter = (config: Config) => this.#adapt(config, origin);
    this.#adapters.add(adapter);
    return adapter;
  }

  /**
   * Refuses a configuration without this adapter: the request would leave through axios' own adapter, and no policy
   * would judge its address.
   */
  #checked(config: Config): Config {
    if (this.#adapters.has(config.adapter as object)) return config;
    throw attemptError(
      'internal',
      null,
      'an axios interceptor has dropped the adapter of the request; return the configuration that it is given, or a copy: { ...config, … }',
    );
  }

  async #adapt(config: Config, origin?: Origin): Promise<AxiosResponse<unknown>> {
    const headers = recordOf(this.#headers.from(config.headers));
    const response = await this.#send(config, headers, origin);
    return {
      data: response.body,
      status: response.status,
      statusText: '',
      headers: this.#headers.from(response.headers as Record<string, string>),
      config,
      request: { ...response, addedHeaders: without(origin?.request.headers, headers) },
    };
  }

  #send(
    config: Config,
    headers: Readonly<Record<string, string>>,
    origin?: Origin,
  ): Promise<WebhookResponse> {
    if (config.method?.toLowerCase() !== 'post') {
      throw attemptError('internal', null, 'webhooks are sent by POST alone');
    }
    const request = origin?.request;
    const hasParts = config.baseURL !== undefined || config.params !== undefined;
    return this.wire({
      url: hasParts ? this.instance.getUri(config) : (config.url ?? ''),
      headers,
      body: bytesOf(config.data),
      timeout: this.#timeoutOf(config, origin?.limit),
      keepAlive: config.keepAlive ?? true,
      ...(request?.policy !== undefined && { policy: request.policy }),
      ...(request?.timeLeft !== undefined && { timeLeft: request.timeLeft }),
    });
  }

  /** The time that interceptors have left. As in axios, 0 means no timeout. */
  #timeoutOf({ timeout }: Config, limit: Limit | undefined): number {
    if (limit === undefined) return timeout || DIRECT_TIMEOUT;
    const left = this.deadlines.left(limit);
    if (left <= 0) throw attemptError('timeout', null);
    // Deadlines are quick for few different timeouts; the limit itself is exact.
    const rounded = Math.ceil(left / SWEEP_INTERVAL) * SWEEP_INTERVAL;
    return Math.min(timeout || rounded, rounded);
  }
}

/** The request that the client was given, and its deadline. */
interface Origin {
  readonly request: WebhookRequest;
  readonly limit: Limit;
}

/** Copies headers like axios' `toJSON`, whose result has no prototype and is slow to read. */
function recordOf(headers: Headers): Record<string, string> {
  const record: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value !== null && value !== undefined && value !== false) record[name] = value as string;
  }
  return record;
}

/** The headers whose values the request did not have before. */
function without(
  before: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const known = new Set(Object.values(before));
  return Object.fromEntries(
    Object.entries(headers).filter(([, value]) => typeof value === 'string' && !known.has(value)),
  );
}

class Limit extends Timed {
  constructor(
    private readonly request: WebhookRequest,
    private readonly reject: (error: Error) => void,
  ) {
    super();
  }

  override extension(): number {
    return this.request.timeLeft?.() ?? 0;
  }

  override expire(): void {
    this.reject(attemptError('timeout', null));
  }
}

/** An interceptor may have replaced any part of the response. */
function responseOf(response: AxiosResponse<unknown>): WebhookResponse {
  const {
    truncated = false,
    address = null,
    addedHeaders,
  } = (response.request ?? {}) as Partial<WebhookResponse>;
  return {
    status: response.status,
    headers: { ...response.headers } as WebhookResponse['headers'],
    body: bytesOf(response.data),
    truncated,
    address,
    ...(addedHeaders !== undefined && { addedHeaders }),
  };
}

function bytesOf(data: unknown): Buffer {
  if (Buffer.isBuffer(data)) return data;
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  throw attemptError(
    'internal',
    null,
    'the body of a request must be bytes or text when the interceptors have run. Encode it before',
  );
}

/**
 * Keeps only the text: an error of axios or of an interceptor may contain the whole request, including the signature.
 */
function ownError(error: unknown): Error {
  if (error instanceof AttemptError || error instanceof RecipientRefusedError) return error;
  const name = error instanceof Error ? `${error.name}: ` : '';
  return attemptError('internal', null, `an axios interceptor failed: ${name}${errorText(error)}`);
}
