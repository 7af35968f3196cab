export { ThornConfigurationError } from './configuration.error.js';
export { InvalidInputError } from './invalid-input.error.js';
export { RecipientRefusedError } from './recipient-refused.error.js';
export { ThornError } from './thorn.error.js';
