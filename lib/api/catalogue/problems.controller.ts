import { Controller, Get, Header, Param } from '@nestjs/common';
import { problem } from '../problems/errors.js';
import { explanationOf } from '../problems/problem-codes.js';

/**
 * `<path>/problems/:code`, to which the `type` of every problem leads: a text that explains the code. It has no guards, since a caller that no guard lets in reads it as well, and shows nothing of anybody.
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
