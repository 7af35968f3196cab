import { createHash } from 'node:crypto';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class User {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ unique: true })
  name!: string;

  /** SHA-256 of the bearer token: whoever reads the table cannot log in with it. */
  @Column({ unique: true })
  tokenHash!: string;
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
