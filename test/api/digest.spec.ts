import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { afterEach, describe, expect, it } from 'vitest';
import { describeThornApi } from '../../lib/index.js';
import { type Api, platforms, startApi } from '../support/apps/api-app.js';

const body = { url: 'https://example.com/hooks', events: ['article.*'] };

describe.each(platforms)('the digest of Hook-HMAC on %s', (platform) => {
  let api: Api;
  afterEach(() => api.app.close());

  const open = async (hookHmac: boolean) => {
    api = await startApi(platform, { thorn: { signing: { hookHmac } } });
  };
  const schemas = () => {
    const document = SwaggerModule.createDocument(api.app, new DocumentBuilder().build());
    return describeThornApi(api.app, document).components!.schemas as Readonly<
      Record<string, { readonly properties?: object }>
    >;
  };
  const described = () =>
    Object.entries(schemas())
      .filter(([name]) => name.startsWith('Thorn'))
      .filter(([, { properties = {} }]) => 'digest' in properties || 'hmac_digest' in properties)
      .map(([name]) => name);

  it('is neither shown nor accepted where the header is not sent', async () => {
    await open(false);
    const created = await api.send('POST', '/hooks', { body });
    const reason = 'is for the header Hook-HMAC, which this application does not send';

    expect(created.body).not.toHaveProperty('digest');
    expect((await api.send('GET', created.body.self)).body).not.toHaveProperty('digest');
    expect((await api.send('GET', '/hooks')).body.items[0]).not.toHaveProperty('digest');
    for (const [method, path, given] of [
      ['POST', '/hooks', { ...body, digest: 'sha1' }],
      ['PATCH', created.body.self, { digest: 'sha1' }],
    ] as const) {
      const refused = await api.send(method, path, { body: given });
      expect(refused.status).toBe(400);
      expect(refused.body.errors).toEqual([{ field: 'digest', code: 'invalid', reason }]);
    }
    const { errors } = (await api.send('POST', '/hooks', { body: { ...body, hmac_digest: 'x' } }))
      .body;
    expect(errors).toEqual([{ field: 'hmac_digest', code: 'invalid', reason }]);
    expect(described()).toEqual([]);
  });

  it('is shown and accepted where the header is sent', async () => {
    await open(true);
    const created = await api.send('POST', '/hooks', { body: { ...body, digest: 'sha1' } });

    expect(created.body.digest).toBe('sha1');
    expect((await api.send('GET', created.body.self)).body.digest).toBe('sha1');
    expect(described()).toContain('ThornNewSubscriber');
    expect(described()).toContain('ThornSubscriber');
  });
});
