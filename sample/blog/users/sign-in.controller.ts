import { Controller, Get, NotFoundException, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { TOKENS } from './demo-users.js';

interface Response {
  cookie(name: string, value: string, options: object): void;
  redirect(url: string): void;
}

/** Signs a browser in without asking for a password: this blog is for the people of one machine. */
@ApiExcludeController()
@Controller('sign-in')
export class SignInController {
  @Get(':name')
  signIn(@Param('name') name: string, @Res() response: Response): void {
    if (!isKnown(name)) throw new NotFoundException();
    // No other site can send the cookie along.
    response.cookie('token', TOKENS[name], { httpOnly: true, sameSite: 'strict' });
    response.redirect(`../webhooks/${name === 'operator' ? '#/operator' : ''}`);
  }
}

function isKnown(name: string): name is keyof typeof TOKENS {
  return Object.hasOwn(TOKENS, name);
}
