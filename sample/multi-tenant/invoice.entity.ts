import { WebhookEvent, Webhooks } from 'nestjs-thorn';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
@Webhooks<Invoice>({ payload: ({ id, total }) => ({ id, total }), owner: 'tenant' })
@WebhookEvent<Invoice>('invoice.created', { on: 'create' })
export class Invoice {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar' })
  tenant!: string;

  @Column({ type: 'int' })
  total!: number;
}
