import type { PipeTransform, Type } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { isObject } from '../../common/objects.js';
import { badRequest, type RefusedField } from '../problems/problem.js';
import { forbiddenFields, nameAsSent, unknownField } from './body-fields.js';
import { validators } from './validators.js';

/**
 * Reads a body as a DTO, whatever pipes the application has. Unknown fields and wrong types are refused, and no value
 * is converted.
 *
 * The handlers declare their bodies `unknown`, so that a global ValidationPipe leaves them as they are. Otherwise a
 * pipe that strips or converts fields would change the body before this pipe sees it.
 */
export class JsonBodyPipe<Dto extends object> implements PipeTransform<unknown, Promise<Dto>> {
  constructor(private readonly dto: Type<Dto>) {}

  async transform(body: unknown): Promise<Dto> {
    // An empty body arrives as {} on one platform, and as undefined on the other.
    const given = body === undefined ? {} : body;
    if (!isObject(given)) throw badRequest([{ field: 'body', reason: 'must be a JSON object' }]);
    const refused = forbiddenFields(given);
    if (refused.length > 0) throw badRequest(refused);
    // The fields are assigned. class-transformer is not used, because it walks into values of any depth.
    const errors = await validators().validate(Object.assign(new this.dto(), given), {
      whitelist: true,
      forbidNonWhitelisted: true,
      // Without this option, class-validator would refuse a DTO that has no fields.
      forbidUnknownValues: false,
      stopAtFirstError: true,
    });
    if (errors.length > 0) throw badRequest(errors.map((error) => refusal(error, body)));
    return given as Dto;
  }
}

function refusal(error: ValidationError, body: unknown): RefusedField {
  const { whitelistValidation, ...constraints } = error.constraints ?? {};
  const [reason = 'is refused'] = Object.values(constraints);
  const field = nameAsSent(error.property, body);
  if (whitelistValidation !== undefined) return unknownField(field);
  return { field, reason, ...('isMoment' in constraints && { code: 'not-a-time' }) };
}
