import { createHash } from 'node:crypto';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity()
export class User {
  @PrimaryColumn()
  id!: string;

  @Column({ unique: true })
  name!: string;

  /** SHA-256 of the bearer token: whoever reads the table cannot log in with it. */
  @Column({ unique: true })
  tokenHash!: string;

  /** True: sees the webhooks of all users. */
  @Column({ default: false })
  isOperator!: boolean;
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
