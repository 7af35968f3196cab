import { Controller, Get, Header, Inject, type Type, VERSION_NEUTRAL } from '@nestjs/common';
import { ApplicationKeys, type JsonWebKeySet } from '../signing/index.js';
import { apiSettings, type ThornApiOptions } from './api-options.js';

/**
 * Makes the controller of `<path>/.well-known/jwks.json`: the public keys that the application's `v1a` signatures are
 * verified with. It has no guards, since receivers read it who have no account; guards that the application binds
 * globally apply to it as to every route.
 *
 * @throws {@link ThornConfigurationError} when an option of the API is missing or wrong
 */
export function jwksController(options: ThornApiOptions): Type<unknown> {
  const { path } = apiSettings(options);

  @Controller({ path: `${path}/.well-known`, version: VERSION_NEUTRAL })
  class JwksController {
    constructor(@Inject(ApplicationKeys) private readonly keys: ApplicationKeys) {}

    /** Short-lived in caches, so that a new key is known soon after it begins to sign. */
    @Get('jwks.json')
    @Header('Cache-Control', 'public, max-age=300')
    jwks(): JsonWebKeySet {
      return this.keys.jwks;
    }
  }

  return JwksController;
}
