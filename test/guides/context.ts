/** What the pages take for granted: the reader's own application. */
import type { CanActivate, INestApplication } from '@nestjs/common';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Pool } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { PrismaClient } from '../../sample/prisma/src/generated/prisma/client.js';
import type { Deliveries, Subscribers, WebhookDispatcher, WebhookEvents } from '../../lib/index.js';
import type { Portal } from '../../lib/page/index.js';

export { PrismaClient };
export declare class PrismaService extends PrismaClient {}
export declare const prisma: PrismaService;
export declare const db: NodePgDatabase & { readonly $client: Pool };
export declare class Connections {
  readonly shop: NodePgDatabase & { readonly $client: Pool };
}

export declare class AuthGuard implements CanActivate {
  canActivate(): boolean;
}
export interface UserRequest {
  readonly headers: { readonly authorization?: string };
  user?: object | undefined;
}
export declare function userOf(authorization?: string): Promise<object | undefined>;
export declare class AuthModule {}
export declare class TokenGuard implements CanActivate {
  canActivate(): boolean;
}
export declare class Tokens {
  verify(token: string): Promise<{ userId: string; clientId: string; scopes: string[] }>;
}
export declare class Accounts {
  tenantOf(user: string): Promise<string | null>;
  maySee(user: string, event: string, args: object | null): Promise<boolean>;
}
export declare class AppModule {}
export declare const app: INestApplication;
export declare const dataSource: DataSource;

export declare const dispatcher: WebhookDispatcher;
export declare const subscribers: Subscribers;
export declare const deliveries: Deliveries;
export declare const webhookEvents: WebhookEvents;
export declare const portal: Portal;

export declare const id: string;
export declare const url: string;
export declare const user: { readonly id: string };
export declare const author: { readonly id: number };
export declare const invoice: { readonly id: number };
export declare const yesterday: Date;
export declare const monday: Date;
export declare const mailer: { send(to: string | null, text: string): void };
export declare const job: { readonly cursor: string | null; save(cursor: string | null): void };
export declare class Orders {
  cancel(id: string): Promise<unknown>;
  place(id: string, total: number): Promise<unknown>;
  pay(manager: EntityManager, order: object): Promise<unknown>;
}
export declare const orders: Orders;
export declare class Order {
  id: number;
  item: string;
  partner: string;
  total: number;
}
export declare class OrdersService {
  place(item: string): Promise<Order>;
}
export declare class Lake {
  append(attempts: readonly object[]): Promise<void>;
}
export declare const stock: { take(sku: string): Promise<unknown> };

export declare const axios: { post(url: string, body: unknown): Promise<unknown> };
export declare const orderRepository: { save<Row>(row: Row): Promise<Row> };
export declare const oldHooks: {
  find(): Promise<
    readonly {
      readonly url: string;
      readonly event: string;
      readonly userId: string;
      readonly secret: string;
    }[]
  >;
};
export declare const manager: EntityManager;
export declare function oldEndpoints(): Promise<
  readonly {
    readonly url: string;
    readonly eventTypes: string[];
    readonly tenant: string;
    readonly enabled: boolean;
    readonly description: string;
    readonly secret: string;
  }[]
>;
export declare const organisation: string;
export declare function svixEndpoints(application: string): Promise<
  readonly {
    readonly url: string;
    readonly filterTypes?: string[];
    readonly disabled?: boolean;
    readonly description: string;
    readonly secret: string;
  }[]
>;
export declare function oldSubscribers(): Promise<
  readonly {
    readonly url: string;
    readonly event: string;
    readonly user_id: number | null;
    readonly hmac_secret: string;
    readonly hmac_digest: 'sha1' | 'sha256' | 'sha512';
    readonly content_type: string;
  }[]
>;
