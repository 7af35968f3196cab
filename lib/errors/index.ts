export { ThornConfigurationError } from './configuration.error.js';
export { InvalidInputError, type RefusalData } from './invalid-input.error.js';
export { RecipientRefusedError } from './recipient-refused.error.js';
export { REFUSAL_CODES, type RefusalCode } from './refusal-codes.js';
export { ThornError } from './thorn.error.js';
