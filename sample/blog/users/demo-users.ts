import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { hashToken, User } from './user.entity.js';

/** Token by name: what a real blog would hand out at a log-in. */
export const TOKENS = {
  alice: 'token-of-alice',
  bob: 'token-of-bob',
  operator: 'token-of-operator',
} as const;

/** Makes the users that the demo logs in as. */
@Injectable()
export class DemoUsers implements OnApplicationBootstrap {
  constructor(private readonly dataSource: DataSource) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const [name, token] of Object.entries(TOKENS)) {
      const isOperator = name === 'operator';
      const user = { id: `user-${name}`, name, tokenHash: hashToken(token), isOperator };
      await this.dataSource.manager.upsert(User, user, ['id']);
    }
  }
}
