import { Brackets } from 'typeorm';

/** A condition that holds where some columns have one of several combinations of values. */
export function anyOf(
  columns: readonly string[],
  combinations: readonly (readonly unknown[])[],
): Brackets {
  return new Brackets((where) => {
    combinations.forEach((values, index) => {
      const parameters = values.map((value, part) => [`thorn_${index}_${part}`, value] as const);
      const equal = parameters.map(([name], part) => `${columns[part]!} = :${name}`);
      where.orWhere(`(${equal.join(' AND ')})`, Object.fromEntries(parameters));
    });
  });
}
