export { ThornConfigurationError } from './configuration.error.js';
export { guideLink } from './guide-link.js';
export { InvalidInputError } from './invalid-input.error.js';
export { RecipientRefusedError } from './recipient-refused.error.js';
export { ThornError } from './thorn.error.js';
