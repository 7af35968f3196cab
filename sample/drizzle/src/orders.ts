import {
  BadRequestException,
  Body,
  Controller,
  Inject,
  Injectable,
  Post,
  UseGuards,
} from '@nestjs/common';
import { type Database, DATABASE } from './database.module.js';
import { Partner, PartnerGuard } from './partner.guard.js';
import { type Order, orders } from './schema.js';

@Injectable()
export class Orders {
  constructor(@Inject(DATABASE) private readonly db: Database) {}

  /** A trigger reports the order in the transaction: both are stored, or none. */
  place(partner: string, total: number): Promise<Order> {
    return this.db.transaction(async (tx) => {
      const [order] = await tx.insert(orders).values({ partner, total }).returning();
      if (!(total > 0)) throw new BadRequestException('An order costs something');
      return order!;
    });
  }
}

@Controller('orders')
@UseGuards(PartnerGuard)
export class OrdersController {
  constructor(private readonly orders: Orders) {}

  @Post()
  place(@Partner() partner: string, @Body('total') total: number): Promise<Order> {
    return this.orders.place(partner, total);
  }
}
