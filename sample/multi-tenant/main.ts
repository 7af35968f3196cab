import 'reflect-metadata';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  Injectable,
  Module,
  Param,
  Post,
  Req,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { ThornModule } from 'nestjs-thorn';
import { thornPage } from 'nestjs-thorn/page';
import { Repository } from 'typeorm';
import { Invoice } from './invoice.entity.js';
import { FRONT_END } from './front-end.js';

interface TenantRequest {
  readonly headers: { readonly cookie?: string };
  user: { readonly id: string };
}

/** Knows tenants by a cookie. A real application verifies a session. */
@Injectable()
class TenantGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<TenantRequest>();
    const [, tenant] = /(?:^|; )tenant=(\w+)/.exec(request.headers.cookie ?? '') ?? [];
    if (tenant === undefined) throw new UnauthorizedException();
    request.user = { id: tenant };
    return true;
  }
}

@Controller('invoices')
@UseGuards(TenantGuard)
class InvoicesController {
  constructor(@InjectRepository(Invoice) private readonly invoices: Repository<Invoice>) {}

  @Post()
  create(@Req() { user }: TenantRequest, @Body('total') total: number): Promise<Invoice> {
    return this.invoices.save(this.invoices.create({ tenant: user.id, total }));
  }
}

@Controller()
class FrontEndController {
  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  index(): string {
    return FRONT_END;
  }

  /** Signs in as a tenant. */
  @Get('sign-in/:tenant')
  @Header('Content-Type', 'text/html; charset=utf-8')
  signIn(@Param('tenant') tenant: string, @Req() { res }: { res: CookieResponse }): string {
    res.setHeader(
      'Set-Cookie',
      `tenant=${tenant.replaceAll(/\W/g, '')}; Path=/; SameSite=Strict; HttpOnly`,
    );
    return FRONT_END;
  }
}

interface CookieResponse {
  setHeader(name: string, value: string): unknown;
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: ':memory:',
      autoLoadEntities: true,
      synchronize: true, // a real application runs migrations
    }),
    TypeOrmModule.forFeature([Invoice]),
    ThornModule.forRoot({
      recipients: 'development',
      api: { guards: [TenantGuard], owner: (request) => request.user.id },
      page: thornPage(),
    }),
  ],
  controllers: [FrontEndController, InvoicesController],
})
class SaasModule {}

export const app = await NestFactory.create(SaasModule);
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
