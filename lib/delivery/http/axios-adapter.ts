import type { AxiosInstance, AxiosResponse, AxiosStatic, InternalAxiosRequestConfig } from 'axios';
import { errorText } from '../../common/error-text.js';
import { RecipientRefusedError } from '../../errors/index.js';
import { AttemptError } from '../attempt/attempt.error.js';
import { type Deadlines, Timed } from './deadlines.js';
import { loadAxios } from './http-packages.js';
import { attemptError } from './transport-errors.js';
import type { RecipientPolicy } from '../recipient-policy/recipient-policy.js';
import type { WebhookRequest, WebhookResponse } from './webhook-http-client.js';

type Wire = (request: WebhookRequest) => Promise<WebhookResponse>;
type Config = InternalAxiosRequestConfig<unknown> & { readonly keepAlive?: boolean };

// axios merges these defaults into every request, at a third of the request's cost; the adapter reads none of them.
const UNUSED_DEFAULTS = [
  'env',
  'maxBodyLength',
  'maxContentLength',
  'timeout',
  'transitional',
  'xsrfCookieName',
  'xsrfHeaderName',
] as const;

/** Passes requests through the interceptors of an axios instance. */
export class AxiosAdapter {
  readonly instance: AxiosInstance;
  readonly #headers: AxiosStatic['AxiosHeaders'];
  #mayHaveDefaults = false;

  constructor(
    private readonly wire: Wire,
    private readonly deadlines: Deadlines,
  ) {
    const axios = loadAxios();
    this.#headers = axios.AxiosHeaders;
    this.instance = axios.create({
      adapter: (config) => this.#adapt(config),
      // The bytes sent must be the bytes signed.
      transformRequest: [],
      transformResponse: [],
      validateStatus: () => true,
      proxy: false,
      maxRedirects: 0,
    });
    const { defaults } = this.instance;
    for (const name of UNUSED_DEFAULTS) delete defaults[name];
    defaults.headers = { common: {} } as typeof defaults.headers;
    Object.defineProperty(this.instance, 'defaults', {
      get: () => {
        this.#mayHaveDefaults = true;
        return defaults;
      },
    });
  }

  /** True when the instance has interceptors or changed defaults. */
  get isCustomised(): boolean {
    const { request, response } = this.instance.interceptors;
    return this.#mayHaveDefaults || hasAny(request.handlers) || hasAny(response.handlers);
  }

  post(request: WebhookRequest): Promise<WebhookResponse> {
    return new Promise((resolve, reject) => {
      // The time that an interceptor takes counts towards the deadline.
      const limit = new Limit(reject);
      this.deadlines.start(limit, request.timeout);
      this.#request(request, limit).then(resolve, reject);
    });
  }

  async #request(request: WebhookRequest, limit: Limit): Promise<WebhookResponse> {
    // The policy is passed outside of the configuration, because an interceptor may replace the configuration.
    const { body: data, policy, ...rest } = request;
    const config = { method: 'post', data, ...rest };
    const adapter = (final: Config) => this.#adapt(final, policy);
    try {
      const response = this.#mayHaveDefaults
        ? this.instance.request({ ...config, adapter } as object)
        : this.#intercept({ ...config, headers: new this.#headers(request.headers) }, adapter);
      return responseOf(await response);
    } catch (error) {
      throw ownError(error);
    } finally {
      this.deadlines.stop(limit);
    }
  }

  /**
   * Replaces `instance.request` while there are interceptors and default settings. Runs the request interceptors, the
   * last one first, then the adapter, then the response interceptors in order. Merging configurations in axios takes
   * longer than the request itself.
   */
  #intercept(
    config: Config,
    adapter: (config: Config) => Promise<AxiosResponse<unknown>>,
  ): Promise<AxiosResponse<unknown>> {
    const { request, response } = this.instance.interceptors;
    let before = Promise.resolve<InternalAxiosRequestConfig>(config);
    // An ejected interceptor leaves null.
    for (const handler of (request.handlers ?? []).toReversed()) {
      if (handler === null || handler.runWhen?.(config) === false) continue;
      before = before.then(handler.fulfilled, handler.rejected);
    }
    let after = before.then(adapter);
    for (const handler of response.handlers ?? []) {
      if (handler !== null) after = after.then(handler.fulfilled, handler.rejected);
    }
    return after;
  }

  async #adapt(config: Config, policy?: RecipientPolicy): Promise<AxiosResponse<unknown>> {
    if (config.method?.toLowerCase() !== 'post') {
      throw attemptError('internal', null, 'webhooks are sent by POST alone');
    }
    const hasParts = config.baseURL !== undefined || config.params !== undefined;
    const response = await this.wire({
      url: hasParts ? this.instance.getUri(config) : (config.url ?? ''),
      headers: this.#headers.from(config.headers).toJSON() as Record<string, string>,
      body: bytesOf(config.data),
      timeout: config.timeout ?? 0,
      keepAlive: config.keepAlive ?? true,
      ...(policy === undefined ? {} : { policy }),
    });
    return {
      data: response.body,
      status: response.status,
      statusText: '',
      headers: this.#headers.from(response.headers as Record<string, string>),
      config,
      request: response,
    };
  }
}

class Limit extends Timed {
  constructor(private readonly reject: (error: Error) => void) {
    super();
  }

  override expire(): void {
    this.reject(attemptError('timeout', null));
  }
}

function hasAny(handlers: readonly unknown[] | undefined): boolean {
  return handlers !== undefined && handlers.some((handler) => handler !== null);
}

/** An interceptor may have replaced any part of the response. */
function responseOf(response: AxiosResponse<unknown>): WebhookResponse {
  const { truncated = false, address = null } = (response.request ??
    {}) as Partial<WebhookResponse>;
  return {
    status: response.status,
    headers: { ...response.headers } as WebhookResponse['headers'],
    body: bytesOf(response.data),
    truncated,
    address,
  };
}

function bytesOf(data: unknown): Buffer {
  if (Buffer.isBuffer(data)) return data;
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  throw attemptError(
    'internal',
    null,
    'an axios interceptor left a body that is neither bytes nor text',
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
