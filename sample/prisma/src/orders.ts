import { BadRequestException, Body, Controller, Injectable, Post, UseGuards } from '@nestjs/common';
import type { Order } from './generated/prisma/client.js';
import { Partner, PartnerGuard } from './partner.guard.js';
import { PrismaService } from './prisma.module.js';

@Injectable()
export class Orders {
  constructor(private readonly prisma: PrismaService) {}

  /** A trigger reports the order in the transaction: both are stored, or none. */
  place(partner: string, total: number): Promise<Order> {
    return this.prisma.$transaction(async (tx) => {
      const order = await tx.order.create({ data: { partner, total } });
      if (!(total > 0)) throw new BadRequestException('An order costs something');
      return order;
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
