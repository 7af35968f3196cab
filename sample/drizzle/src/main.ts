import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ThornModule } from 'nestjs-thorn';
import { thornPage } from 'nestjs-thorn/page';
import { ensureSchema, fromDrizzle } from 'nestjs-thorn/sql';
import { type Database, DATABASE, DatabaseModule } from './database.module.js';
import { Orders, OrdersController } from './orders.js';
import { PartnerGuard } from './partner.guard.js';

const schema = 'thorn';

@Module({
  imports: [
    DatabaseModule,
    ThornModule.forRoot({
      database: fromDrizzle(DATABASE, { schema }),
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
// In production a migration makes the tables: see docs/tutorial/drizzle.md.
await ensureSchema(fromDrizzle(app.get<Database>(DATABASE), { schema }));
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
