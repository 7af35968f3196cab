import { isText, RequiredField } from '../http/validators.js';
import { text } from '../../common/json-schema.js';

export const HOST = {
  ...text,
  description: 'As in URLs, with its port unless it is 443 or 80; * for all',
  maxLength: 320,
};

export class PauseDto {
  @RequiredField(HOST, isText('must be a host as URLs have it, or "*"'))
  host!: string;
}
