import { Get, Header, Inject, type Type } from '@nestjs/common';
import { ApplicationKeys, type JsonWebKeySet } from '../../signing/index.js';
import { PublicController } from '../http/controller.decorators.js';
import type { ApiSettings } from '../options/api-options.js';

/**
 * Makes the controller of `<path>/.well-known/jwks.json`: the public keys that verify the application's `v1a`
 * signatures. It has no guards, since receivers without an account read it. Guards that the application binds globally
 * apply to it as to every route, unless `api.decorators.public` says otherwise.
 */
export function jwksController(settings: ApiSettings): Type<unknown> {
  @PublicController(settings, { below: '/.well-known' })
  class ThornJwksController {
    constructor(@Inject(ApplicationKeys) private readonly keys: ApplicationKeys) {}

    /** Cached for a short time, so that a new key is known soon after it begins to sign. */
    @Get('/jwks.json')
    @Header('Cache-Control', 'public, max-age=300')
    jwks(): JsonWebKeySet {
      return this.keys.jwks;
    }
  }

  return ThornJwksController;
}
