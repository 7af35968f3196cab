import {
  Body,
  Controller,
  Get,
  HttpCode,
  type INestApplication,
  Injectable,
  Module,
  type NestInterceptor,
  Next,
  Post,
  RequestTimeoutException,
  Res,
  type Type,
  ValidationPipe,
} from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { IsString } from 'class-validator';
import { map, raceWith, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  equalsInConstantTime,
  headerOf,
  type MessageIdentity,
  type SignatureClaim,
  type SignedRequest,
  ThornReceiverModule,
  type ThornReceiverModuleOptions,
  type VerifiedWebhook,
  Webhook,
  WebhookReceiver,
  WebhookReceiverEvents,
  WebhookReceivers,
  WebhookScheme,
} from '../../lib/receiver/index.js';
import { Clock } from '../../lib/common/index.js';
import { generateSecret } from '../../lib/signing/index.js';
import { MovableClock, signWebhook } from '../../lib/testing/index.js';
import { platforms, type ReceiverApp, startReceiverApp } from '../support/apps/receiver-app.js';

const secret = generateSecret();
const old = generateSecret();
const body = { type: 'order.paid', data: { id: 7, title: 'Grüße' } };

class OrderDto {
  @IsString()
  type!: string;
}

const calls: VerifiedWebhook[] = [];
const answers: (() => unknown)[] = [];

function handle(webhook: VerifiedWebhook): unknown {
  calls.push(webhook);
  return answers.shift()?.();
}

@Controller('hooks')
class HooksController {
  @Post('store')
  @WebhookReceiver('store')
  store(@Webhook() webhook: VerifiedWebhook<typeof body>): unknown {
    return handle(webhook);
  }

  @Post('thorn')
  @HttpCode(202)
  @WebhookReceiver('thorn')
  thorn(@Webhook() webhook: VerifiedWebhook): unknown {
    return handle(webhook);
  }

  @Post('stripe')
  @WebhookReceiver('stripe')
  stripe(@Webhook('payload') payload: unknown, @Webhook('id') id: string): unknown {
    return { payload, id };
  }

  @Post('github')
  @WebhookReceiver('github')
  github(@Webhook('event') event: string, @Webhook('rawBody') raw: Buffer): unknown {
    return { event, raw: raw.toString() };
  }

  @Post('own')
  @WebhookReceiver('own')
  own(@Webhook() webhook: VerifiedWebhook): unknown {
    return { id: webhook.id, timestamp: webhook.timestamp };
  }

  @Post('dto')
  @WebhookReceiver('store')
  dto(
    @Webhook('payload', new ValidationPipe({ validateCustomDecorators: true, transform: true }))
    order: OrderDto,
  ): unknown {
    return { isOrder: order instanceof OrderDto };
  }

  @Post('status')
  @WebhookReceiver('store')
  status(
    @Webhook() webhook: VerifiedWebhook,
    @Res({ passthrough: true }) response: { status(code: number): unknown },
  ): unknown {
    response.status(Number(handle(webhook)));
    return {};
  }

  @Post('open')
  open(@Body() parsed: unknown): unknown {
    return parsed;
  }

  @Post('forgotten')
  forgotten(@Webhook() webhook: VerifiedWebhook): unknown {
    return handle(webhook);
  }
}

@Controller('both')
@WebhookReceiver('store')
class BothController {
  @Post()
  inherited(@Webhook() webhook: VerifiedWebhook): unknown {
    return handle(webhook);
  }

  @Post('thorn')
  @WebhookReceiver('thorn')
  overridden(@Webhook() webhook: VerifiedWebhook): unknown {
    return handle(webhook);
  }

  @Get()
  read(): string {
    return 'never without a signature';
  }
}

@Injectable()
class Pepper {
  readonly value = 'pepper';
}

@Module({ providers: [Pepper], exports: [Pepper] })
class PepperModule {}

/** A sender that sends a password and the time in milliseconds; made by Nest, with what it injects. */
@Injectable()
class PasswordScheme extends WebhookScheme<string> {
  constructor(private readonly pepper: Pepper) {
    super();
  }

  override key(text: string): string {
    return `${text}.${this.pepper.value}`;
  }

  override read(request: SignedRequest): SignatureClaim {
    return {
      timestamp: Number(headerOf(request, 'x-time')),
      signatures: [headerOf(request, 'x-password')],
    };
  }

  override isSigned(_request: SignedRequest, { signatures }: SignatureClaim, key: string): boolean {
    return equalsInConstantTime(signatures[0]!, key);
  }

  override identify({ headers }: SignedRequest): MessageIdentity {
    return { id: headers['x-id'] ?? null, event: null };
  }
}

const receivers: ThornReceiverModuleOptions['receivers'] = {
  store: { scheme: 'standard', secrets: [secret, old] },
  thorn: { scheme: 'thorn', secrets: [secret], digest: 'sha512' },
  stripe: { scheme: 'stripe', secrets: ['whsec_stripe'] },
  github: { scheme: 'github', secrets: ["It's a Secret to Everybody"] },
  own: { scheme: PasswordScheme, secrets: ['sesame'] },
};
const module = (options: Partial<ThornReceiverModuleOptions> = {}) =>
  ThornReceiverModule.forRoot({
    receivers,
    clock: MovableClock,
    imports: [PepperModule],
    ...options,
  });

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
  calls.length = 0;
  answers.length = 0;
});

/** Fastify has a parser for texts of its own. */
function takeTexts(application: INestApplication): void {
  if (application.getHttpAdapter().getType() === 'express') {
    (application as NestExpressApplication).useBodyParser('text');
  }
}

describe.each(platforms)('receivers on %s', (platform) => {
  const start = async (
    options: Partial<ThornReceiverModuleOptions> = {},
    settings: Parameters<typeof startReceiverApp>[3] = {},
  ): Promise<ReceiverApp & { told: unknown[] }> => {
    const started = await startReceiverApp(
      platform,
      [module(options)],
      [HooksController, BothController],
      settings,
    );
    ({ app } = started);
    const told: unknown[] = [];
    for (const name of ['rejected', 'accepted', 'duplicate'] as const) {
      started.app.get(WebhookReceiverEvents).on(name, (facts) => told.push({ name, ...facts }));
    }
    return { ...started, told };
  };

  it('pass a verified webhook to the handler', async () => {
    const { post, told } = await start();
    const signed = signWebhook({ body, secrets: [old], id: 'msg_1' });
    const answer = await post('/hooks/store', signed);

    expect(answer.status).toBe(201);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      receiver: 'store',
      id: 'msg_1',
      event: 'order.paid',
      timestamp: Number(signed.headers['webhook-timestamp']) * 1000,
      payload: body,
      rawBody: signed.body,
    });
    expect(told).toEqual([
      { name: 'accepted', receiver: 'store', id: 'msg_1', event: 'order.paid' },
    ]);
  });

  it('verify the received bytes, not the parsed body', async () => {
    const { post } = await start();
    const spaced = signWebhook({ body: '{ "type" :\n"a", "type": "b" }', secrets: [secret] });
    const answer = await post('/hooks/store', { ...spaced, body: '{"type":"b"}' });

    expect(answer.status).toBe(401);
    expect((await post('/hooks/store', spaced)).status).toBe(201);
    expect(calls[0]!.rawBody.toString()).toBe('{ "type" :\n"a", "type": "b" }');
  });

  it('answer the same 401 for every reason, and log the reason', async () => {
    const { post, log, told, app: application } = await start();
    const signed = signWebhook({ body, secrets: [secret], id: 'msg_1' });
    const now = application.get<MovableClock>(Clock).now();
    const time = (away: number) =>
      signWebhook({ body, secrets: [secret], time: now + away, id: 'msg_1' });
    const requests = [
      { ...signed, headers: { 'content-type': 'application/json' } },
      { ...signed, headers: { ...signed.headers, 'webhook-timestamp': 'now' } },
      signWebhook({ body, secrets: [generateSecret()], id: 'msg_1' }),
      { ...signed, body: JSON.stringify({ ...body, type: 'order.lost' }) },
      time(-301_500),
      time(301_500),
    ];
    const refusals = [];
    for (const request of requests) {
      const answer = await post('/hooks/store', request);
      refusals.push(`${answer.status} ${await answer.text()}`);
    }

    expect(new Set(refusals).size).toBe(1);
    expect(refusals[0]).toMatch(/^401 .*The webhook could not be verified\./);
    expect(calls).toEqual([]);
    const reasons = [
      'missing-header',
      'malformed-header',
      'wrong-signature',
      'wrong-signature',
      'too-old',
      'too-new',
    ];
    expect(told).toEqual(
      reasons.map((reason) => ({
        name: 'rejected',
        receiver: 'store',
        reason,
        explanation: expect.any(String) as string,
      })),
    );
    for (const reason of reasons) expect(log.lines.join('\n')).toContain(`"store" (${reason})`);
    for (const secretText of [
      secret,
      old,
      signed.headers['webhook-signature']!,
      'msg_1',
      'Grüße',
    ]) {
      expect(log.lines.join('\n')).not.toContain(secretText);
    }
  });

  it('support every scheme', async () => {
    const { post } = await start();
    const thorn = signWebhook({ body, secrets: [secret], scheme: 'thorn', digest: 'sha512' });
    const stripe = signWebhook({
      body: { id: 'evt_1' },
      secrets: ['whsec_stripe'],
      scheme: 'stripe',
    });
    const github = signWebhook({
      body,
      secrets: ["It's a Secret to Everybody"],
      scheme: 'github',
      event: 'push',
    });
    const own = {
      headers: { 'x-time': String(Date.now()), 'x-password': 'sesame.pepper', 'x-id': '1' },
      body: '',
    };

    expect((await post('/hooks/thorn', thorn)).status).toBe(202);
    expect(await (await post('/hooks/stripe', stripe)).json()).toEqual({
      payload: { id: 'evt_1' },
      id: 'evt_1',
    });
    expect(await (await post('/hooks/github', github)).json()).toEqual({
      event: 'push',
      raw: JSON.stringify(body),
    });
    expect(await (await post('/hooks/own', own)).json()).toEqual({
      id: '1',
      timestamp: Number(own.headers['x-time']),
    });
    const wrong = { ...own, headers: { ...own.headers, 'x-password': 'sesame.salt' } };
    expect((await post('/hooks/own', wrong)).status).toBe(401);
    // Signed for one receiver is not signed for another.
    expect((await post('/hooks/store', thorn)).status).toBe(401);
    expect((await post('/hooks/thorn', signWebhook({ body, secrets: [secret] }))).status).toBe(401);
  });

  it('read forms, and text with a parser', async () => {
    const { post } = await start({}, { beforeInit: takeTexts });
    const form = signWebhook({
      body: 'event=order.paid&data%5Btags%5D%5B0%5D=a',
      contentType: 'application/x-www-form-urlencoded',
      secrets: [secret],
    });
    const text = signWebhook({ body: 'Hello', contentType: 'text/plain', secrets: [secret] });

    expect((await post('/hooks/store', form)).status).toBe(201);
    expect(calls[0]).toMatchObject({
      event: 'order.paid',
      payload: { event: 'order.paid', data: { tags: ['a'] } },
    });
    expect((await post('/hooks/store', text)).status).toBe(201);
    expect(calls[1]).toMatchObject({ payload: 'Hello', event: null });
    expect((await post('/hooks/store', { ...text, body: 'hello' })).status).toBe(401);
  });

  it('reject a content type without a parser, and say what to do', async () => {
    const { post } = await start();
    const contentType = 'application/octet-stream';
    const signed = signWebhook({ body: 'Hello', contentType, secrets: [secret] });

    expect((await post('/hooks/store', signed)).status).toBe(415);
    expect(calls).toEqual([]);
  });

  it.each(['application/json-patch+json', 'application/json-seq'])(
    'reject %s by 415 without a parser',
    async (contentType) => {
      const { post } = await start();
      const signed = signWebhook({ body: '[]', contentType, secrets: [secret] });

      expect((await post('/hooks/store', signed)).status).toBe(415);
    },
  );

  it('tell a sender with a valid signature that its body cannot be read', async () => {
    const { post, told } = await start();
    const options = { contentType: 'application/x-www-form-urlencoded', secrets: [secret] };
    const answer = await post('/hooks/store', signWebhook({ body: 'a=1&a[b]=2', ...options }));

    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('the names of the form cannot be read');
    expect(told).toMatchObject([{ name: 'rejected', reason: 'unreadable-body' }]);
  });

  it('accept an empty body that is signed', async () => {
    const { post } = await start();
    const { 'content-type': _, ...headers } = signWebhook({ body: '', secrets: [secret] }).headers;

    expect((await post('/hooks/store', { headers, body: '' })).status).toBe(201);
  });

  it.each(['application/json', 'application/x-www-form-urlencoded'])(
    'answer a 500 that names the fix without raw bodies: %s',
    async (contentType) => {
      const { post, log } = await start({}, { rawBody: false });
      const signed = signWebhook({ body: '{}', contentType, secrets: [secret] });
      const answer = await post('/hooks/store', signed);

      expect(answer.status).toBe(500);
      expect(await answer.text()).toContain('NestFactory.create(AppModule, { rawBody: true })');
      expect(calls).toEqual([]);
      expect(log.lines.join('\n')).not.toContain(signed.headers['webhook-signature']);
      expect((await post('/hooks/open', { ...signed, body: 'a=1' })).status).not.toBe(500);
    },
  );

  it('leave other routes alone', async () => {
    const { post } = await start();
    const request = { headers: { 'content-type': 'application/json' }, body: '{"a":1}' };

    expect(await (await post('/hooks/open', request)).json()).toEqual({ a: 1 });
  });

  it('explain what is missing when @Webhook() stands alone', async () => {
    const { post, log } = await start();

    expect((await post('/hooks/forgotten', signWebhook({ body, secrets: [secret] }))).status).toBe(
      500,
    );
    expect(log.lines.join('\n')).toContain('Write @WebhookReceiver(name)');
  });

  it('guard a whole controller; a route overrides it', async () => {
    const { app: application, post } = await start();
    const standard = signWebhook({ body, secrets: [secret] });
    const thorn = signWebhook({ body, secrets: [secret], scheme: 'thorn', digest: 'sha512' });

    expect((await post('/both', standard)).status).toBe(201);
    expect((await post('/both', thorn)).status).toBe(401);
    expect((await post('/both/thorn', thorn)).status).toBe(201);
    expect((await post('/both/thorn', standard)).status).toBe(401);
    expect(calls.map(({ receiver }) => receiver)).toEqual(['store', 'thorn']);
    const read = await fetch(`${await application.getUrl()}/both`);
    expect(read.status).toBe(401);
  });

  it('let pipes validate the payload', async () => {
    const { post } = await start();

    const good = await post('/hooks/dto', signWebhook({ body, secrets: [secret] }));
    expect(await good.json()).toEqual({ isOrder: true });
    const bad = await post('/hooks/dto', signWebhook({ body: { type: 1 }, secrets: [secret] }));
    expect(bad.status).toBe(400);
  });

  describe('repetitions', () => {
    const signed = signWebhook({ body, secrets: [secret], id: 'msg_1' });
    const again = () => signWebhook({ body, secrets: [old], id: 'msg_1' });

    it('are answered without the handler once the message is processed', async () => {
      const { post, told } = await start();

      for (const request of [signed, signed, again()]) {
        expect((await post('/hooks/store', request)).status).toBe(201);
      }
      expect(calls).toHaveLength(1);
      expect(told).toMatchObject([
        { name: 'accepted' },
        { name: 'duplicate', receiver: 'store', id: 'msg_1', state: 'processed' },
        { name: 'duplicate' },
      ]);
      // Ids belong to their sender.
      const other = signWebhook({
        body,
        secrets: [secret],
        id: 'msg_1',
        scheme: 'thorn',
        digest: 'sha512',
      });
      expect((await post('/hooks/thorn', other)).status).toBe(202);
      expect(calls).toHaveLength(2);
    });

    it('run again after a handler failed, by a throw or by its status', async () => {
      const { post } = await start();
      const failed = new Error('the database is away');
      answers.push(
        () => {
          throw failed;
        },
        () => Promise.reject(failed),
        () => 503,
        () => 200,
      );

      expect((await post('/hooks/store', signed)).status).toBe(500);
      expect((await post('/hooks/store', signed)).status).toBe(500);
      expect((await post('/hooks/status', signed)).status).toBe(503);
      expect((await post('/hooks/status', signed)).status).toBe(200);
      expect((await post('/hooks/store', signed)).status).toBe(201);
      expect(calls).toHaveLength(4);
    });

    it('run once when they come at the same time; the others are told to come back', async () => {
      const { post } = await start();
      let finish: (answer?: unknown) => void = () => undefined;
      answers.push(() => new Promise((resolve) => (finish = resolve)));
      const first = post('/hooks/store', signed);
      await expect.poll(() => calls.length).toBe(1);
      const second = await post('/hooks/store', again());

      expect(second.status).toBe(409);
      expect(second.headers.get('retry-after')).toBe('10');
      finish({ done: true });
      expect(await (await first).json()).toEqual({ done: true });
      expect((await post('/hooks/store', again())).status).toBe(201);
      expect(calls).toHaveLength(1);
    });

    it('run again when the claim of the message has expired', async () => {
      const { app: application, post } = await start({ deduplication: { lease: 60_000 } });
      let finish: (answer?: unknown) => void = () => undefined;
      answers.push(() => new Promise((resolve) => (finish = resolve)));
      const first = post('/hooks/store', signed);
      await expect.poll(() => calls.length).toBe(1);
      application.get<MovableClock>(Clock).advance(60_001);

      expect((await post('/hooks/store', signed)).status).toBe(201);
      expect(calls).toHaveLength(2);
      finish();
      expect((await first).status).toBe(201);
    });

    it.each([
      ['once when the handler ends well', () => 'done', 1],
      ['again when the handler fails', () => Promise.reject(new Error('away')), 2],
    ])('run %s after a timeout has answered', async (_, end, runs) => {
      const timeouts = new Subject<void>();
      const timeout: NestInterceptor = {
        intercept: (_context, next) =>
          next.handle().pipe(
            raceWith(
              timeouts.pipe(
                map(() => {
                  throw new RequestTimeoutException();
                }),
              ),
            ),
          ),
      };
      const { post } = await start(
        {},
        { beforeInit: (application) => application.useGlobalInterceptors(timeout) },
      );
      let finish: (answer?: unknown) => void = () => undefined;
      answers.push(() => new Promise((resolve) => (finish = resolve)).then(end));
      const first = post('/hooks/store', signed);
      await expect.poll(() => calls.length).toBe(1);

      timeouts.next();
      expect((await first).status).toBe(408);
      expect((await post('/hooks/store', again())).status).toBe(409);
      finish();
      await expect.poll(async () => (await post('/hooks/store', again())).status).toBe(201);
      expect(calls).toHaveLength(runs);
    });

    it('all run without de-duplication', async () => {
      const { post } = await start({ deduplication: false });

      await post('/hooks/store', signed);
      await post('/hooks/store', signed);
      expect(calls).toHaveLength(2);
    });
  });
});

describe('a wrong set-up fails at start-up', () => {
  const compile = async (options: object, controllers: Type<unknown>[] = []): Promise<string> => {
    try {
      const started = await startReceiverApp(
        'express',
        [ThornReceiverModule.forRoot(options as never)],
        controllers,
      );
      ({ app } = started);
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return 'started';
  };

  it.each([
    [
      'no receivers',
      {},
      '`receivers` of ThornReceiverModule.forRoot() must name at least one sender',
    ],
    [
      'an unknown option',
      { receivers, secret },
      'Unknown option `secret` in ThornReceiverModule.forRoot(). Valid options: receivers',
    ],
    [
      'no secrets',
      { receivers: { store: { scheme: 'standard', secrets: [] } } },
      '`receivers.store.secrets` of ThornReceiverModule.forRoot() must be',
    ],
    [
      'a missing variable',
      { receivers: { store: { scheme: 'standard', secrets: [undefined] } } },
      '`receivers.store.secrets[0]` of ThornReceiverModule.forRoot() is undefined; check that the environment variable that holds it is set',
    ],
    [
      'a variable without a value',
      { receivers: { store: { scheme: 'github', secrets: [''] } } },
      '`receivers.store.secrets[0]` of ThornReceiverModule.forRoot() is empty; check that the environment variable',
    ],
    [
      'a malformed whsec',
      { receivers: { store: { scheme: 'standard', secrets: ['whsec_?'] } } },
      '`receivers.store.secrets[0]` of ThornReceiverModule.forRoot() must be whsec_',
    ],
    [
      'an unknown scheme',
      { receivers: { store: { scheme: 'paypal', secrets: [secret] } } },
      '`receivers.store.scheme` of ThornReceiverModule.forRoot() must be one of standard',
    ],
    [
      'no scheme',
      { receivers: { store: { secrets: [secret] } } },
      '`receivers.store.scheme` of ThornReceiverModule.forRoot() is missing',
    ],
    [
      'a misspelt setting',
      { receivers: { store: { scheme: 'standard', secrets: [secret], tolerence: 1 } } },
      'Unknown option `receivers.store.tolerence` in ThornReceiverModule.forRoot()',
    ],
    [
      'no lease',
      {
        receivers: { store: { scheme: 'standard', secrets: [secret] } },
        deduplication: { lease: 0 },
      },
      '`deduplication.lease` of ThornReceiverModule.forRoot() must be',
    ],
  ])('%s', async (_, options, text) => {
    const failure = await compile(options);

    expect(failure).toContain('ThornConfigurationError: ');
    expect(failure).toContain(text);
    expect(failure).not.toContain(secret);
  });

  const single = { receivers: { shop: { scheme: 'standard', secrets: [secret] } } };

  it('a decorator with an unknown name', async () => {
    expect(await compile(single, [BothController])).toBe(
      "ThornConfigurationError: @WebhookReceiver('store') on BothController names an unknown receiver. Receivers of ThornReceiverModule: shop.",
    );
  });

  it('a route that answers by hand', async () => {
    @Controller()
    class ByHand {
      @Post()
      @WebhookReceiver('shop')
      receive(@Res() response: { end(): void }): void {
        response.end();
      }
    }
    @Controller()
    class ByNext {
      @Post()
      @WebhookReceiver('shop')
      receive(@Next() next: () => void): void {
        next();
      }
    }

    expect(await compile(single, [ByHand])).toContain('ByHand.receive() takes the response');
    expect(await compile(single, [ByNext])).toContain('@Res({ passthrough: true })');
  });

  it('a decorator without a name', () => {
    expect(() => WebhookReceiver('')).toThrow("@WebhookReceiver('store')");
  });

  it('an option of the structure that comes out of a factory', async () => {
    const started = startReceiverApp(
      'express',
      [
        ThornReceiverModule.forRootAsync({
          useFactory: () => ({ receivers, global: true }) as never,
        }),
      ],
      [],
    );

    await expect(started).rejects.toThrow(
      '`global` of ThornReceiverModule.forRoot() must be given beside useFactory',
    );
  });
});

it('warns at start-up of a secret that looks like base64 without whsec_', async () => {
  const [key, other] = [secret.slice('whsec_'.length), generateSecret().slice('whsec_'.length)];
  const started = await startReceiverApp(
    'express',
    [
      ThornReceiverModule.forRoot({
        receivers: {
          store: { scheme: 'standard', secrets: [secret, key] },
          bare: { scheme: 'standard', secrets: [other.replace('=', '')] },
          plain: { scheme: 'standard', secrets: ['a text', 'b'].map((text) => text.repeat(20)) },
          hex: { scheme: 'standard', secrets: [Buffer.from(key, 'base64').toString('hex')] },
          github: { scheme: 'github', secrets: [key] },
        },
      }),
    ],
    [],
  );
  ({ app } = started);
  const warnings = started.log.lines.filter((line) => line.includes('base64'));

  expect(warnings.map((line) => line.split(' ')[0])).toEqual([
    'receivers.store.secrets[1]',
    'receivers.bare.secrets[0]',
  ]);
  expect(warnings[0]).toContain('put whsec_ in front');
  expect(warnings.join()).not.toContain(key);
});

it('accepts options from a factory, with a store made by Nest', async () => {
  const { ReceivedMessages, InMemoryReceivedMessages } =
    await import('../../lib/receiver/index.js');
  class Store extends InMemoryReceivedMessages {
    constructor() {
      super(7);
    }
  }
  const started = await startReceiverApp(
    'express',
    [
      ThornReceiverModule.forRootAsync({
        imports: [PepperModule],
        inject: [Pepper],
        useFactory: (pepper: Pepper) => ({
          receivers: { ...receivers, [pepper.value]: receivers['store']! },
          store: Store,
        }),
      }),
    ],
    [HooksController],
  );
  ({ app } = started);

  expect(app.get(WebhookReceivers).names).toContain('pepper');
  const signed = signWebhook({ body, secrets: [secret] });
  expect((await started.post('/hooks/store', signed)).status).toBe(201);
  const store = app.get<InstanceType<typeof Store>>(ReceivedMessages);
  expect(store).toBeInstanceOf(Store);
  expect(store.size).toBe(1);
});
