import { Controller, Get, Header, Param } from '@nestjs/common';
import { problem } from '../problems/problem.js';
import { explanationOf } from '../problems/problem-codes.js';

/**
 * `<path>/problems/:code`: a text that explains the code of a problem, to which the `type` of every problem leads. It
 * has no guards, because a caller that a guard has refused must be able to read it, and because it has no data of any
 * owner.
 */
@Controller()
export class ThornProblemsController {
  @Get('/problems/:code')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'public, max-age=300')
  explain(@Param('code') code: string): string {
    const text = explanationOf(code);
    if (text === null) throw problem('not-found', 'There is no problem with this code');
    return text;
  }
}
