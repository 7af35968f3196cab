import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ThornModule } from 'nestjs-thorn';
import { thornPage } from 'nestjs-thorn/page';
import { fromPrisma } from 'nestjs-thorn/sql';
import { orderEvents } from './orders.events.js';
import { Orders, OrdersController } from './orders.js';
import { PartnerGuard } from './partner.guard.js';
import { PrismaModule, PrismaService } from './prisma.module.js';

const url = process.env['DATABASE_URL'];
const schema = 'thorn';

@Module({
  imports: [
    PrismaModule,
    ThornModule.forRoot({
      database: fromPrisma(PrismaService, { url, schema }),
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
