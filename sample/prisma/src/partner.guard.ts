import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
} from '@nestjs/common';

interface PartnerRequest {
  readonly headers: { readonly authorization?: string };
  user?: { readonly id: string };
}

/** Takes any token for the name of a partner. A real application verifies the token. */
@Injectable()
export class PartnerGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<PartnerRequest>();
    const [, id] = /^Bearer (\w+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (id === undefined) return false;
    request.user = { id };
    return true;
  }
}

export const Partner = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<PartnerRequest>().user?.id,
);
