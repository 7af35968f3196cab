import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, MaxLength, Min } from 'class-validator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defineEvents, EventCatalogue } from '../../lib/index.js';
import { thornOpenApiWebhooks } from '../../lib/openapi/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';

class Parcel {
  @IsString()
  @MaxLength(40)
  code!: string;

  @ApiProperty({ description: 'Grams', example: 250 })
  @IsInt()
  @Min(1)
  weight!: number;

  @IsOptional()
  @IsString()
  note?: string;
}

let api: Api;
beforeAll(async () => {
  api = await startApi('express', {
    thorn: {
      events: defineEvents({
        'parcel.sent': { description: 'A parcel is on its way', schema: Parcel },
        'parcel.lost': {
          description: 'A parcel was lost',
          schema: { $ref: '#/$defs/code', $defs: { code: { type: 'string' } } },
        },
        'parcel.found': { description: 'A parcel was found' },
        'parcel.shipped': { description: 'A parcel was shipped.', replacedBy: 'parcel.sent' },
      }),
    },
  });
});
afterAll(() => api.app.close());

it('returns the schema of an event that a class declares, as the documents do', async () => {
  const { status, body } = await api.send('GET', '/hooks/event-types/parcel.sent');
  expect({ status, schema: body.schema }).toEqual({
    status: 200,
    schema: {
      type: 'object',
      properties: {
        code: { type: 'string', maxLength: 40 },
        weight: { type: 'integer', minimum: 1, description: 'Grams', examples: [250] },
        note: { type: 'string' },
      },
      required: ['weight', 'code'],
    },
  });
  const { post } = thornOpenApiWebhooks(api.app.get(EventCatalogue))['parcel.sent']!;
  expect(post.requestBody.content['application/json']!.schema).toMatchObject({
    properties: { data: body.schema },
  });
});

it('answers documents of all events', async () => {
  const webhooks = thornOpenApiWebhooks(api.app);
  expect((await api.send('GET', '/hooks/openapi.json')).body).toEqual({
    openapi: '3.1.0',
    info: { title: 'Webhooks', version: '1.0' },
    webhooks: JSON.parse(JSON.stringify(webhooks)),
  });
  const { body } = await api.send('GET', '/hooks/asyncapi.json');
  expect(body.asyncapi).toBe('3.0.0');
  expect(Object.keys(body.components.messages)).toEqual(Object.keys(webhooks));
  expect(Object.keys(thornOpenApiWebhooks(api.app, { events: ['parcel.s*', '*.found'] }))).toEqual([
    'parcel.found',
  ]);
});

it('returns a self-contained JSON Schema, and null where there is none', async () => {
  const lost = await api.send('GET', '/hooks/event-types/parcel.lost');
  expect(lost.body.schema).toMatchObject({ type: 'string' });
  const found = await api.send('GET', '/hooks/event-types/parcel.found');
  expect(found.body.schema).toBeNull();
});

it('tells which events are deprecated, and what replaces them', async () => {
  const old = { deprecated: true, replacedBy: 'parcel.sent' };
  const { items } = (await api.send('GET', '/hooks/event-types')).body;
  const named = (name: string) => items.find((one: { name: string }) => one.name === name);
  expect(named('parcel.shipped')).toMatchObject(old);
  expect(named('parcel.sent')).toMatchObject({ deprecated: false, replacedBy: null });
  expect((await api.send('GET', '/hooks/event-types/parcel.shipped')).body).toMatchObject(old);

  const note = 'A parcel was shipped. Deprecated: use parcel.sent.';
  const { post } = thornOpenApiWebhooks(api.app)['parcel.shipped']!;
  expect(post).toMatchObject({ deprecated: true, description: expect.stringContaining(note) });
  const { messages } = (await api.send('GET', '/hooks/asyncapi.json')).body.components;
  expect(messages['parcel.shipped']).toMatchObject({
    description: note,
    payload: { deprecated: true },
  });
});

it('refuses a replacement that is not declared', async () => {
  const events = defineEvents({
    'parcel.shipped': { description: 'x', replacedBy: 'parcel.snet' },
  });
  await expect(startApi('express', { thorn: { events } })).rejects.toThrow(
    'parcel.shipped is replaced by parcel.snet, which is not declared. Declare it, or correct replacedBy',
  );
});
