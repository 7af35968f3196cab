export {
  ThornConfigurationError,
  InvalidInputError,
  type RefusalData,
  RecipientRefusedError,
  REFUSAL_CODES,
  type RefusalCode,
  ThornError,
} from './errors.js';
