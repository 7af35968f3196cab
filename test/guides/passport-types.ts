/** What docs/recipes/passport.md uses of Passport and of express-session, which are not installed here. */
import type { CanActivate, Type } from '@nestjs/common';

type Middleware = (request: object, response: object, next: () => void) => void;

export declare function AuthGuard(strategy: string): Type<CanActivate>;
export declare function PassportStrategy<Base extends Type<object>>(
  base: Base,
): abstract new (options: ConstructorParameters<Base>[0]) => InstanceType<Base>;
export declare const ExtractJwt: { fromAuthHeaderAsBearerToken(): (request: object) => string };
export declare class Strategy {
  constructor(options: { jwtFromRequest: (request: object) => string; secretOrKey: string });
}

declare const middleware: ((options: object) => Middleware) & { session(): Middleware };
export default middleware;
