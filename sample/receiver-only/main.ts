import 'reflect-metadata';
import { Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ThornReceiverModule,
  type VerifiedWebhook,
  Webhook,
  WebhookReceiver,
} from 'nestjs-thorn/receiver';

interface Order {
  readonly type: string;
  readonly data: { readonly id: number; readonly total: number };
}

@Controller('webhooks')
class WebhooksController {
  readonly #orders = new Map<number, number>();

  /** Runs for requests with a valid signature alone, and once for each message. */
  @Post('shop')
  @HttpCode(204)
  @WebhookReceiver('shop')
  receive(@Webhook() { event, payload: { data } }: VerifiedWebhook<Order>): void {
    console.log(`  verified ${event} ${JSON.stringify(data)}`);
    if (event === 'order.placed') this.#orders.set(data.id, data.total);
  }

  @Get('orders')
  orders(): readonly { readonly id: number; readonly total: number }[] {
    return [...this.#orders].map(([id, total]) => ({ id, total }));
  }
}

@Module({
  imports: [
    ThornReceiverModule.forRoot({
      receivers: {
        shop: {
          scheme: 'standard',
          secrets: [process.env['THORN_SECRET'] ?? 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
        },
      },
    }),
  ],
  controllers: [WebhooksController],
})
class ReceiverModule {}

// A signature covers the bytes that were sent, so they are kept.
export const app = await NestFactory.create(ReceiverModule, { rawBody: true });
await app.listen(process.env['PORT'] ?? 4000, '127.0.0.1');
