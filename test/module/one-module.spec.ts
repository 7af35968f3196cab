import { type DynamicModule, Injectable, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { RecordingStrategy } from '../../lib/testing/index.js';

const OPTIONS = { dataSources: [], dispatch: RecordingStrategy };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(...imports: (DynamicModule | Type<unknown>)[]) {
  const app = (await Test.createTestingModule({ imports }).compile()).createNestApplication();
  closing.push(() => app.close());
  app.useLogger(false);
  return app.init();
}

/** A module of the application that imports another. */
function feature(imported: DynamicModule): Type<unknown> {
  @Module({ imports: [imported] })
  class FeatureModule {}
  return FeatureModule;
}

describe('an application that sets ThornModule up twice', () => {
  it('does not start, and says what to look for', async () => {
    const starting = start(
      ThornModule.forRoot(OPTIONS),
      feature(ThornModule.forRootAsync({ ...OPTIONS, useFactory: () => ({}) })),
    );

    await expect(starting).rejects.toMatchObject({
      code: 'THORN_MODULE_TWICE',
      message:
        'ThornModule is set up more than once in one application, so that every event would be sent more than once. ' +
        'Look for ThornModule.forRoot() and forRootAsync(), and keep one call, in the root module: every module can ' +
        'inject its services.',
    });
  });

  it('starts when two modules import what one call returned', async () => {
    const shared = ThornModule.forRoot(OPTIONS);
    const app = await start(shared, feature(shared));

    const { state } = await app.get(WebhookDispatcher).send('order.placed', {});
    expect(state).toBe('accepted');
  });

  it('starts beside another application in the same process', async () => {
    await start(ThornModule.forRoot(OPTIONS));

    await expect(start(ThornModule.forRoot(OPTIONS))).resolves.toBeDefined();
  });
});

describe('an application that imports ThornModule without forRoot()', () => {
  const message =
    'ThornModule is imported without options. Call it in the imports of the root module: imports: ' +
    '[ThornModule.forRoot()] instead of imports: [ThornModule].';

  it('does not start, and says to call it', async () => {
    await expect(start(ThornModule)).rejects.toThrow(message);
  });

  it('does not start when a provider injects a service of it', async () => {
    @Injectable()
    class Orders {
      constructor(readonly webhooks: WebhookDispatcher) {}
    }
    @Module({ imports: [ThornModule], providers: [Orders] })
    class AppModule {}

    await expect(start(AppModule)).rejects.toThrow(message);
  });
});
