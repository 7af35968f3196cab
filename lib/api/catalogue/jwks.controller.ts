import { Controller, Get, Header } from '@nestjs/common';
import { ApplicationKeys, type JsonWebKeySet } from '../../signing/index.js';

/**
 * `<path>/.well-known/jwks.json`: the public keys that verify the application's `v1a` signatures. It has no guards,
 * since receivers without an account read it. Guards that the application binds globally apply to it as to every route,
 * unless `api.decorators.public` exempts it.
 */
@Controller()
export class ThornJwksController {
  constructor(private readonly keys: ApplicationKeys) {}

  /** Caches may keep the keys for a short time only, so that receivers know a new key soon after it begins to sign. */
  @Get('/.well-known/jwks.json')
  @Header('Cache-Control', 'public, max-age=300')
  jwks(): JsonWebKeySet {
    return this.keys.jwks;
  }
}
