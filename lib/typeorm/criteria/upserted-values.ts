/**
 * Rows of values that are being inserted so that each may become an update of a row, or nothing: the hooks of such an insert
 * take all of them for new rows, and do not count.
 */
export class UpsertedValues {
  /** How many inserts have each of them: an application may give one object to several inserts at once. */
  readonly #inserts = new Map<object, number>();

  has(values: object): boolean {
    return this.#inserts.has(values);
  }

  /** Makes an insert. Afterwards its rows of values may be inserted as new rows. */
  async during<Result>(
    valueSets: readonly object[],
    insert: () => Promise<Result>,
  ): Promise<Result> {
    for (const values of valueSets) this.#inserts.set(values, this.#of(values) + 1);
    try {
      return await insert();
    } finally {
      for (const values of valueSets) {
        const left = this.#of(values) - 1;
        if (left > 0) this.#inserts.set(values, left);
        else this.#inserts.delete(values);
      }
    }
  }

  #of(values: object): number {
    return this.#inserts.get(values) ?? 0;
  }
}
