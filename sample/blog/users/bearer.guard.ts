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
  readonly headers: { readonly authorization?: string };
  user?: User;
}

/** Lets in whoever shows the token of a user. */
@Injectable()
export class BearerGuard implements CanActivate {
  constructor(private readonly dataSource: DataSource) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<BlogRequest>();
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    if (scheme?.toLowerCase() !== 'bearer' || !token) throw new UnauthorizedException();
    const user = await this.dataSource.manager.findOneBy(User, { tokenHash: hashToken(token) });
    if (user === null) throw new UnauthorizedException();
    request.user = user;
    return true;
  }
}

/** The user that {@link BearerGuard} found. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<BlogRequest>().user;
});
