import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { DataSource } from 'typeorm';
import { hashToken, User } from './user.entity.js';

interface BlogRequest {
  readonly headers: { readonly authorization?: string; readonly cookie?: string };
  user?: User;
}

/** Lets in whoever shows the token of a user: programs as a bearer token, browsers in the cookie of their sign-in. */
@Injectable()
export class BearerGuard implements CanActivate {
  constructor(private readonly dataSource: DataSource) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<BlogRequest>();
    request.user = await this.userOf(request);
    return true;
  }

  protected async userOf({ headers }: BlogRequest): Promise<User> {
    const token =
      /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ??
      /(?:^|; )token=([^;]+)/.exec(headers.cookie ?? '')?.[1];
    if (token === undefined) throw new UnauthorizedException();
    const user = await this.dataSource.manager.findOneBy(User, { tokenHash: hashToken(token) });
    if (user === null) throw new UnauthorizedException();
    return user;
  }
}

/** Lets in operators alone. */
@Injectable()
export class OperatorGuard extends BearerGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    return (await this.userOf(context.switchToHttp().getRequest<BlogRequest>())).isOperator;
  }
}

/** The user that {@link BearerGuard} found. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<BlogRequest>().user;
});
