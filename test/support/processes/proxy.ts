import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import axios from 'axios';
import { inline, ThornModule, WebhookDispatcher } from '../../../lib/index.js';
import { UndiciHttpClient } from '../../../lib/extending/index.js';
import { LOOPBACK_RECIPIENTS } from '../../../lib/testing/index.js';

interface Settings {
  readonly how: 'thorn' | 'axios';
  readonly url: string;
  readonly egressProxy?: string;
}

const { how, url, egressProxy } = JSON.parse(process.argv[2]!) as Settings;
if (how === 'axios') await axios.post(url, {}).catch(() => {});
else await sendAll();
console.log('done');

/** By each way that a request can take, and with a name as well as with an address. */
async function sendAll(): Promise<void> {
  const urls = [url, url.replace('127.0.0.1', 'localhost')];
  const app = await NestFactory.createApplicationContext(
    ThornModule.forRoot({
      dataSources: [],
      dispatch: inline(),
      recipients: LOOPBACK_RECIPIENTS,
      subscribers: { '*': urls },
      ...(egressProxy === undefined ? {} : { egressProxy }),
    }),
    { logger: ['error', 'warn'] },
  );
  const dispatcher = app.get(WebhookDispatcher);
  const { axios: instance } = app.get(UndiciHttpClient);
  await dispatcher.send('way.plain');
  instance.interceptors.request.use((config) => config);
  await dispatcher.send('way.interceptors');
  void instance.defaults;
  await dispatcher.send('way.defaults');
  await app.close();
}
