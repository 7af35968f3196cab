import type { PipeTransform, Type } from '@nestjs/common';
import { validate, type ValidationError } from 'class-validator';
import { badRequest, type RefusedField } from './bad-request.js';
import { asSpelled, isBody, withOwnNames } from './field-names.js';

/**
 * Reads a body as a DTO, whatever pipes the application has: names are brought to one spelling, unknown fields and wrong
 * types refused, nothing converted.
 *
 * The handlers declare their bodies `unknown`, so that a global ValidationPipe passes them by: one that strips or
 * converts would otherwise have done so before this pipe sees them.
 */
export class SubscriberBodyPipe<Dto extends object> implements PipeTransform<
  unknown,
  Promise<Dto>
> {
  constructor(private readonly dto: Type<Dto>) {}

  async transform(body: unknown): Promise<Dto> {
    if (!isBody(body)) throw badRequest([{ field: 'body', reason: 'must be a JSON object' }]);
    const { renamed, refused } = withOwnNames(body);
    if (refused.length > 0) throw badRequest(refused);
    // Assigned and not built by class-transformer, which walks into values of any depth.
    const errors = await validate(Object.assign(new this.dto(), renamed), {
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      stopAtFirstError: true,
    });
    if (errors.length > 0) throw badRequest(errors.map((error) => refusal(error, body)));
    // An empty body arrives as {} on one platform and not at all on the other.
    if (Object.keys(renamed).length === 0) {
      throw badRequest([{ field: 'body', reason: 'must have at least one field' }]);
    }
    return renamed as Dto;
  }
}

function refusal(error: ValidationError, body: unknown): RefusedField {
  const { whitelistValidation, ...constraints } = error.constraints ?? {};
  const [reason = 'is refused'] = Object.values(constraints);
  return {
    field: asSpelled(error.property, body),
    reason: whitelistValidation === undefined ? reason : 'is not a known field',
  };
}
