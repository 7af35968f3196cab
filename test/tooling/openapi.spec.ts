import { Body, Controller, Get, Injectable, type INestApplication, Module } from '@nestjs/common';
import { ApiProperty, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { Validator } from '@seriousme/openapi-schema-validator';
import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { Type } from 'class-transformer';
import {
  ArrayNotEmpty,
  IsEnum,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  Min,
  ValidateNested,
} from 'class-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataType, defineEvents, inline, ThornModule, WebhookEvent } from '../../lib/index.js';
import { thornAsyncApi, thornOpenApiWebhooks, webhookTypes } from '../../lib/openapi/index.js';
import { typeErrorsIn } from '../support/type-errors.js';

enum Reason {
  fraud = 'fraud',
  typo = 'typo',
}

class Line {
  @IsString()
  @Length(1, 20)
  sku!: string;

  @IsInt()
  @Min(1)
  amount!: number;

  @IsOptional()
  @ValidateNested()
  @Type(() => Line)
  instead?: Line;
}

class OrderFlagged {
  @IsUUID()
  id!: string;

  @IsEnum(Reason)
  reason!: Reason;

  @ArrayNotEmpty()
  @ValidateNested({ each: true })
  @Type(() => Line)
  lines!: Line[];

  @IsISO8601()
  at!: string;

  @IsOptional()
  @IsString({ each: true })
  notes?: string[];
}

class Customer {
  @ApiProperty({ description: 'As on the bill', example: 'Ada', nullable: true, type: String })
  name!: string | null;

  // What the plugin of @nestjs/swagger adds to a class.
  static _OPENAPI_METADATA_FACTORY() {
    return {
      since: { required: true, type: () => Date },
      tags: { required: false, type: () => [String] },
    };
  }
}

const events = defineEvents({
  'order.flagged': {
    description: 'Someone looked at an order twice',
    schema: OrderFlagged,
    example: { id: '4f2d' },
  },
  'customer.{id}.renamed': { description: 'A customer has a new name. */', schema: Customer },
  'tree.grown': {
    description: 'A tree has grown',
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        root: { $ref: '#/$defs/node' },
        kind: { oneOf: [{ const: 'oak' }, { type: 'number' }] },
      },
      required: ['root'],
      $defs: {
        node: {
          type: 'object',
          properties: { size: { type: 'number' }, left: { $ref: '#/$defs/node' } },
          required: ['size'],
        },
      },
    },
  },
  'stock.low': { description: 'Few are left', data: dataType<{ left: number }>() },
});

@Injectable()
class Orders {
  @WebhookEvent('order.cancelled')
  async cancel(): Promise<{ id: string }> {
    return { id: '1' };
  }
}

@Controller('things')
class Things {
  @Get()
  list(@Body() _body: unknown): string[] {
    return [];
  }
}

@Module({
  imports: [
    ThornModule.forRoot({
      dispatch: inline(),
      dataSources: [],
      events,
      eventTypes: ['order.*', 'customer.*', 'tree.grown', 'stock.low'],
    }),
  ],
  providers: [Orders],
  controllers: [Things],
})
class AppModule {}

let app: INestApplication;
beforeAll(async () => {
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = await module.createNestApplication().init();
});
afterAll(() => app.close());

function openApi() {
  const config = new DocumentBuilder().setTitle('Shop').setVersion('1').setOpenAPIVersion('3.1.0');
  return SwaggerModule.createDocument(app, {
    ...config.build(),
    webhooks: thornOpenApiWebhooks(app),
  });
}

const asyncApi = () => thornAsyncApi(app, { title: 'Shop', version: '1' });
const asPlain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

describe('thornOpenApiWebhooks()', () => {
  it('makes a document that an independent validator accepts', async () => {
    const document = openApi();
    expect(Object.keys(document.webhooks!)).toEqual([
      'customer.{id}.renamed',
      'order.cancelled',
      'order.flagged',
      'stock.low',
      'tree.grown',
    ]);
    expect(await new Validator().validate(asPlain(document))).toEqual({ valid: true });
  });

  it('asks subscribers for none of the credentials that callers of the application need', () => {
    for (const { post } of Object.values(thornOpenApiWebhooks(app))) {
      expect(post.security).toEqual([]);
    }
  });

  it('describes bodies from classes, nested ones too, and an example', () => {
    const { post } = thornOpenApiWebhooks(app)['order.flagged']!;
    expect(post.description).toContain('Someone looked at an order twice');
    expect(post.description).toContain('webhook-signature');
    const { schema, example } = post.requestBody.content['application/json']!;
    expect(example).toMatchObject({ type: 'order.flagged', data: { id: '4f2d' } });
    const line = (instead: unknown) => ({
      type: 'object',
      properties: {
        sku: { type: 'string', minLength: 1, maxLength: 20 },
        amount: { type: 'integer', minimum: 1 },
        instead,
      },
      required: ['sku', 'amount'],
    });
    expect(schema).toMatchObject({
      properties: {
        type: { const: 'order.flagged' },
        data: {
          type: 'object',
          properties: {
            id: { type: 'string', format: 'uuid' },
            reason: { enum: ['fraud', 'typo'] },
            lines: { type: 'array', minItems: 1, items: line({ type: 'object' }) },
            at: { type: 'string', format: 'date-time' },
            notes: { type: 'array', items: { type: 'string' } },
          },
          required: ['id', 'reason', 'lines', 'at'],
        },
      },
    });
  });

  it('reads @ApiProperty() and what the swagger plugin adds', () => {
    const { post } = thornOpenApiWebhooks(app)['customer.{id}.renamed']!;
    const { schema } = post.requestBody.content['application/json']!;
    expect(schema).toMatchObject({
      properties: {
        type: { pattern: '^customer\\.[A-Za-z0-9_-]+\\.renamed$' },
        data: {
          properties: {
            name: { type: ['string', 'null'], description: 'As on the bill', examples: ['Ada'] },
            since: { type: 'string', format: 'date-time' },
            tags: { type: 'array', items: { type: 'string' } },
          },
          required: ['since', 'name'],
        },
      },
    });
  });

  it('describes the data of an event without a schema as an object', () => {
    const webhooks = thornOpenApiWebhooks(app);
    for (const name of ['order.cancelled', 'stock.low']) {
      const { example } = webhooks[name]!.post.requestBody.content['application/json']!;
      expect(example).toEqual({ type: name, timestamp: expect.stringMatching(/Z$/), data: {} });
    }
    const { content } = webhooks['tree.grown']!.post.requestBody;
    expect(content['application/json']).not.toHaveProperty('example');
  });

  it('describes the headers, and a custom envelope', () => {
    const { post } = thornOpenApiWebhooks(app, { body: ({ name }) => ({ title: name }) })[
      'stock.low'
    ]!;
    expect(post.requestBody.content['application/json']).toEqual({
      schema: { title: 'stock.low' },
    });
    const headers = post.parameters.map(({ name }) => name);
    expect(headers).toEqual(
      expect.arrayContaining(['webhook-id', 'webhook-timestamp', 'webhook-signature']),
    );
    expect(headers).not.toContain('Hook-HMAC');
  });

  it.each(['thorn', 'custom'] as const)(
    'describes the envelope %s and Hook-HMAC where the options ask for them',
    async (envelope) => {
      const options = {
        dispatch: inline(),
        dataSources: [],
        events,
        envelope: envelope === 'thorn' ? envelope : () => 'a text',
        signing: { hookHmac: true },
      };
      const imports = [ThornModule.forRoot(options)];
      const module = await Test.createTestingModule({ imports }).compile();
      const { post } = thornOpenApiWebhooks(module)['order.flagged']!;
      const { schema, example } = post.requestBody.content['application/json']!;
      expect(schema['required']).toEqual(
        envelope === 'thorn' ? ['event', 'ref', 'sender', 'data'] : undefined,
      );
      expect(example).toEqual(
        envelope === 'thorn'
          ? { event: 'order.flagged', ref: null, sender: null, data: { id: '4f2d' } }
          : undefined,
      );
      expect(post.parameters.map(({ name }) => name)).toContain('Hook-HMAC');
      const types = webhookTypes(asPlain({ webhooks: thornOpenApiWebhooks(module) }));
      const name = 'readonly event: `customer.${string}.renamed`';
      expect(types.includes(name)).toBe(envelope === 'thorn');
      await module.close();
    },
  );

  it.each(['standard', 'thorn'] as const)(
    'describes the key and the sequence in the envelope %s where the option puts them there',
    async (envelope) => {
      const options = { dispatch: inline(), dataSources: [], events, envelope, orderInBody: true };
      const imports = [ThornModule.forRoot(options)];
      const module = await Test.createTestingModule({ imports }).compile();
      const { post } = thornOpenApiWebhooks(module)['order.flagged']!;
      const { schema } = post.requestBody.content['application/json']!;
      expect(schema['properties']).toMatchObject({
        key: { type: 'string' },
        sequence: { type: 'integer', minimum: 1 },
      });
      // Events without a key have neither.
      expect(schema['required']).not.toContain('key');
      const types = webhookTypes(asPlain({ webhooks: thornOpenApiWebhooks(module) }));
      expect(types).toContain('readonly sequence?: number;');
      expect(JSON.stringify(thornAsyncApi(module, { title: 'a', version: '1' }))).toContain(
        '"sequence"',
      );
      await module.close();
    },
  );

  it('names what is missing', () => {
    expect(() => thornOpenApiWebhooks({} as never)).toThrow(/must be an application/);
    expect(() => thornAsyncApi(app, { title: '', version: '1' })).toThrow(
      /`title` of thornAsyncApi\(\)/,
    );
  });
});

describe('thornAsyncApi()', () => {
  it('makes a document that the schema of AsyncAPI accepts', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
    formats.default(ajv);
    const schema = structuredClone(specs.schemas['3.0.0']) as object;
    const check = ajv.compile(schema);
    expect(check(asPlain(asyncApi())) ? [] : check.errors).toEqual([]);
    expect(Object.keys(asyncApi().components.messages)).toContain('customer._id_.renamed');
    expect(check({ ...asPlain(asyncApi()), channels: 1 })).toBe(false);
  });
});

describe('webhookTypes()', () => {
  it('makes types that compile and tell events apart, from either document', () => {
    const fromOpenApi = webhookTypes(asPlain(openApi()));
    expect(webhookTypes(asPlain(asyncApi()))).toBe(fromOpenApi);
    const use = `
export function handle(payload: WebhookPayload): string {
  switch (payload.type) {
    case 'order.flagged': {
      const reason: 'fraud' | 'typo' = payload.data.reason;
      const first: string | undefined = payload.data.lines[0]?.sku;
      return \`\${reason} \${first}\`;
    }
    case 'tree.grown': {
      const kind: 'oak' | number | undefined = payload.data.kind;
      return \`\${kind} \${payload.data.root.size.toFixed()}\`;
    }
    default:
      return payload.timestamp;
  }
}
export const renamed = (payload: CustomerIdRenamedWebhook): string | null => payload.data.name;
export const name: CustomerIdRenamedWebhook['type'] = 'customer.7.renamed';
`;
    expect(typeErrorsIn(fromOpenApi + use)).toEqual([]);
    expect(
      typeErrorsIn(`${fromOpenApi}export const a = (p: StockLowWebhook) => p.nothing;`),
    ).toEqual([expect.stringContaining('nothing')]);
  });

  it('rejects a document without webhooks', () => {
    for (const document of [null, 1, [], {}, { asyncapi: '2.6.0' }, { webhooks: {} }]) {
      expect(() => webhookTypes(document)).toThrow(/must be an OpenAPI 3.1 document/);
    }
  });
});
