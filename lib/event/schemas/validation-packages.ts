// Loaded when first needed: class-validator alone takes longer to load than all of the library.

/** Loads class-validator, with the first class whose rules are read. */
export const loadClassValidator = () =>
  require('class-validator') as typeof import('class-validator');

/** Loads class-transformer, with the first class whose schema is made. */
export const loadClassTransformer = () =>
  require('class-transformer') as typeof import('class-transformer');
