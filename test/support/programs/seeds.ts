/** The seeds of a spec's runs, from 1; `THORN_SEEDS=7,12` asks for certain ones. */
export function seedsOf(count: number): readonly number[] {
  const asked = process.env['THORN_SEEDS'];
  return asked === undefined
    ? Array.from({ length: count }, (_, at) => at + 1)
    : asked.split(',').map(Number);
}
