// What tools/try-package.mjs compiles and runs in applications of their own.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ThornModule, WebhookEvent, Webhooks, Subscribers } from 'nestjs-thorn';
import { thornAsyncApi } from 'nestjs-thorn/openapi';
import { verifyWebhook } from 'nestjs-thorn/receiver';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
@Webhooks<Order>({ payload: ({ id }) => ({ id }) })
@WebhookEvent<Order>('order.placed', { on: 'create' })
class Order {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'text' })
  item!: string;
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: ':memory:',
      autoLoadEntities: true,
      synchronize: true,
    }),
    TypeOrmModule.forFeature([Order]),
    ThornModule.forRoot({ recipients: { allowCidrs: ['127.0.0.1/32'], allowedPorts: 'any' } }),
  ],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  let secret = '';
  const arrived = new Promise<string | null>((resolve, reject) => {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.writeHead(204, { connection: 'close' }).end();
      server.close();
      try {
        const { headers } = request;
        const body = Buffer.concat(chunks);
        resolve(verifyWebhook({ headers, body, secrets: [secret] }).event);
      } catch (error) {
        reject(error);
      }
    });
    server.listen(0, '127.0.0.1', async () => {
      const { port } = server.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}/hooks`;
      const subscriber = await app.get(Subscribers).create({ url, events: ['order.*'] });
      secret = subscriber.secrets[0]!.value;
      await app.get(DataSource).getRepository(Order).save({ item: 'tea' });
    });
  });
  const event = await arrived;
  const { components } = thornAsyncApi(app, { title: 'Fresh', version: '1' });
  process.stdout.write(`delivered ${event}, of ${Object.keys(components.messages).join(', ')}\n`);
  await app.close();
}

void main();
