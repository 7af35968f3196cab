import axios, {
  AxiosHeaders,
  type AxiosInstance,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { RecipientRefusedError } from '../errors/index.js';
import { AttemptError } from './attempt.error.js';
import { type Deadlines, Timed } from './deadlines.js';
import { failure } from './failure.js';
import type { RecipientPolicy } from './recipient-policy.js';
import type { WebhookRequest, WebhookResponse } from './webhook-http-client.js';

type Wire = (request: WebhookRequest) => Promise<WebhookResponse>;
type Config = InternalAxiosRequestConfig<unknown> & {
  readonly keepAlive?: boolean;
  readonly policy?: RecipientPolicy;
};

/** Lets requests pass through an axios instance, for its interceptors, on their way to the wire. */
export class AxiosFront {
  readonly instance: AxiosInstance;

  constructor(
    private readonly wire: Wire,
    private readonly deadlines: Deadlines,
  ) {
    this.instance = axios.create({
      adapter: (config) => this.#adapt(config),
      // The bytes that are sent must be the bytes that were signed.
      transformRequest: [],
      transformResponse: [],
      validateStatus: () => true,
      proxy: false,
      maxRedirects: 0,
    });
    this.instance.defaults.headers = { common: {} } as AxiosInstance['defaults']['headers'];
  }

  post(request: WebhookRequest): Promise<WebhookResponse> {
    return new Promise((resolve, reject) => {
      // An interceptor may wait for something, too: its time counts.
      const limit = new Limit(reject);
      this.deadlines.start(limit, request.timeout);
      this.#request(request, limit).then(resolve, reject);
    });
  }

  async #request(request: WebhookRequest, limit: Limit): Promise<WebhookResponse> {
    const { body: data, ...rest } = request;
    try {
      return responseOf(await this.instance.request({ method: 'post', data, ...rest } as object));
    } catch (error) {
      throw ownError(error);
    } finally {
      this.deadlines.stop(limit);
    }
  }

  async #adapt(config: Config): Promise<AxiosResponse> {
    if (config.method !== 'post') {
      throw failure('internal', null, 'webhooks are sent by POST alone');
    }
    const hasParts = config.baseURL !== undefined || config.params !== undefined;
    const response = await this.wire({
      url: hasParts ? this.instance.getUri(config) : (config.url ?? ''),
      headers: config.headers.toJSON() as Record<string, string>,
      body: bytesOf(config.data),
      timeout: config.timeout ?? 0,
      keepAlive: config.keepAlive ?? true,
      ...(config.policy === undefined ? {} : { policy: config.policy }),
    });
    return {
      data: response.body,
      status: response.status,
      statusText: '',
      headers: AxiosHeaders.from(response.headers as Record<string, string>),
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
    this.reject(failure('timeout', null));
  }
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
  throw failure(
    'internal',
    null,
    'an axios interceptor left a body that is neither bytes nor text',
  );
}

/** An error of axios or of an interceptor may carry the whole request, signature included: only its text goes on. */
function ownError(error: unknown): Error {
  if (error instanceof AttemptError || error instanceof RecipientRefusedError) return error;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : 'no error object';
  return failure('internal', null, `an axios interceptor failed: ${text.replace(/\?\S*/g, '?…')}`);
}
