import 'reflect-metadata';
import { BadRequestException, Body, Controller, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ThornModule, WebhookEvent } from 'nestjs-thorn';

interface Order {
  readonly id: number;
  readonly total: number;
}

@Injectable()
class Orders {
  #count = 0;

  @WebhookEvent('order.placed', { data: (order: Order) => order })
  @WebhookEvent('order.refused', {
    on: 'error',
    data: (error, [total]: [number]) => ({ total, why: String(error) }),
  })
  async place(total: number): Promise<Order> {
    if (!(total > 0)) throw new BadRequestException('An order costs something');
    this.#count += 1;
    return { id: this.#count, total };
  }
}

@Controller('orders')
class OrdersController {
  constructor(private readonly orders: Orders) {}

  @Post()
  place(@Body('total') total: number): Promise<Order> {
    return this.orders.place(total);
  }
}

@Module({
  imports: [
    ThornModule.forRoot({
      // No database: messages and subscribers are in memory.
      dataSources: [],
      // The receiver is on this machine. Refused where NODE_ENV is production.
      recipients: 'development',
      subscribers: {
        'order.*': {
          url: process.env['RECEIVER_URL'] ?? 'http://127.0.0.1:4000',
          secret: process.env['THORN_SECRET'] ?? 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        },
      },
    }),
  ],
  controllers: [OrdersController],
  providers: [Orders],
})
class ShopModule {}

export const app = await NestFactory.create(ShopModule);
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
