import type { CanActivate } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { afterEach, describe, expect, it } from 'vitest';
import {
  describeThornApi,
  generateSigningKeyPair,
  type ThornModuleExtras,
  type ThornModuleOptions,
} from '../../lib/index.js';
import { thornPage } from '../../lib/page/index.js';
import { type Api, type ApiSetUp, platforms, startApi } from '../support/apps/api-app.js';

type Operations = Record<string, { security?: object[]; tags: string[] }>;

class Anybody implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

const everything: ThornModuleOptions & ThornModuleExtras = {
  operatorApi: { guards: [Anybody] },
  signing: { ed25519: generateSigningKeyPair().privateKey },
  unsubscribe: {
    url: 'https://api.example.com/hooks',
    secret: 'a secret of the application that has 32 characters at least',
  },
};

describe.each(platforms)('describeThornApi() on %s', (platform) => {
  let api: Api;
  afterEach(() => api.app.close());

  async function described(
    setUp: ApiSetUp,
    build = (builder: DocumentBuilder) => builder.addBearerAuth(),
    options = {},
  ) {
    api = await startApi(platform, setUp);
    const config = build(new DocumentBuilder()).build();
    const document = SwaggerModule.createDocument(api.app, config);
    const { paths, components } = describeThornApi(api.app, document, options);
    return {
      paths: paths as unknown as Record<string, Operations>,
      schemas: Object.keys(components?.schemas ?? {}),
    };
  }

  it('leaves out the routes of operators, JWKS and unsubscribing while they are off', async () => {
    const { paths, schemas } = await described({});
    const names = Object.keys(paths);
    expect(names.filter((path) => /operator|well-known|unsubscribe/.test(path))).toEqual([]);
    expect(schemas.filter((name) => /Operator|Prune|Reseal/.test(name))).toEqual([]);
    expect(names).toContain('/hooks');
  });

  it('describes them when they are on, after the routes of owners', async () => {
    const { paths } = await described({ thorn: everything });
    const names = Object.keys(paths).filter((path) => path.startsWith('/hooks'));
    expect(names[0]).toBe('/hooks');
    expect(Object.keys(paths['/hooks']!)).toEqual(['get', 'post']);
    const place = (part: string) => names.findIndex((path) => path.includes(part));
    expect(place('well-known')).toBeGreaterThan(place('{id}'));
    expect(place('unsubscribe')).toBeGreaterThan(place('{id}'));
    expect(place('hooks-operator')).toBeGreaterThan(place('well-known'));
  });

  it('leaves the routes of the page out', async () => {
    const { paths } = await described({ thorn: { page: thornPage() } });
    expect(Object.keys(paths).filter((path) => !path.startsWith('/hooks'))).toEqual([]);
  });

  it('gives guarded routes the only security scheme of the document, and open ones none', async () => {
    const { paths } = await described({ thorn: everything });
    const bearer = [{ bearer: [] }];
    expect(paths['/hooks']!['post']!.security).toEqual(bearer);
    expect(paths['/hooks/.well-known/jwks.json']!['get']!.security).toEqual([]);
    for (const [path, item] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(item)) {
        if (!path.includes('operator')) continue;
        expect([method, path, operation.security]).toEqual([method, path, bearer]);
      }
    }
  });

  it('accepts security requirements for documents with several schemes', async () => {
    const several = (builder: DocumentBuilder) =>
      builder.addBearerAuth().addBasicAuth().addSecurityRequirements('bearer');
    const { paths } = await described({ thorn: everything }, several, {
      operatorSecurity: [{ basic: [] }],
    });
    expect(paths['/hooks']!['get']!.security).toBeUndefined();
    expect(paths['/hooks-operator/subscribers']!['get']!.security).toEqual([{ basic: [] }]);
  });
});
