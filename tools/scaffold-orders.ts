// What tools/scaffold.mjs adds to the application that `nest new` makes. docs/testing.md has its tests.
import { Body, Controller, Injectable, Module, Post } from '@nestjs/common';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { ThornModule, WebhookEvent, Webhooks } from 'nestjs-thorn';
import { Column, Entity, PrimaryGeneratedColumn, Repository } from 'typeorm';

@Entity()
@Webhooks<Order>({ payload: ({ id, item }) => ({ id, item }) })
@WebhookEvent<Order>('order.placed', { on: 'create' })
export class Order {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  item!: string;
}

@Injectable()
export class OrdersService {
  constructor(@InjectRepository(Order) private readonly orders: Repository<Order>) {}

  place(item: string): Promise<Order> {
    return this.orders.save({ item });
  }
}

@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  place(@Body('item') item: string): Promise<Order> {
    return this.orders.place(item);
  }
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
    ThornModule.forRoot(),
  ],
  controllers: [OrdersController],
  providers: [OrdersService],
})
export class OrdersModule {}
