import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ThornModule } from 'nestjs-thorn';
import { thornPage } from 'nestjs-thorn/page';
import { fromDrizzle } from 'nestjs-thorn/sql';
import { DATABASE, DatabaseModule } from './database.module.js';
import { orderEvents } from './orders.events.js';
import { Orders, OrdersController } from './orders.js';
import { PartnerGuard } from './partner.guard.js';

const schema = 'thorn';

@Module({
  imports: [
    DatabaseModule,
    ThornModule.forRoot({
      database: fromDrizzle(DATABASE, { schema }),
      tables: [orderEvents],
      api: { guards: [PartnerGuard], owner: (request) => request.user.id },
      page: thornPage(),
      // Webhooks may go to this machine. Refused where NODE_ENV is production.
      recipients: 'development',
    }),
  ],
  controllers: [OrdersController],
  providers: [Orders],
})
class ShopModule {}

export const app = await NestFactory.create(ShopModule);
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
