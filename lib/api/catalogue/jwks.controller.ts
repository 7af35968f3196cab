import { Controller, Get, Header, Inject, type Type, VERSION_NEUTRAL } from '@nestjs/common';
import { ApplicationKeys, type JsonWebKeySet } from '../../signing/index.js';
import type { ApiSettings } from '../options/api-options.js';

/**
 * Makes the controller of `<path>/.well-known/jwks.json`: the public keys that the application's `v1a` signatures are
 * verified with. It has no guards, since receivers read it who have no account; guards that the application binds
 * globally apply to it as to every route.
 */
export function jwksController({ path }: ApiSettings): Type<unknown> {
  @Controller({ path: `${path}/.well-known`, version: VERSION_NEUTRAL })
  class ThornJwksController {
    constructor(@Inject(ApplicationKeys) private readonly keys: ApplicationKeys) {}

    /** Short-lived in caches, so that a new key is known soon after it begins to sign. */
    @Get('jwks.json')
    @Header('Cache-Control', 'public, max-age=300')
    jwks(): JsonWebKeySet {
      return this.keys.jwks;
    }
  }

  return ThornJwksController;
}
