/**
 * The functions of a test runner that a conformance suite needs. Pass the functions of vitest or Jest. The interface is
 * the library's own, so that neither of them has to be installed.
 */
export interface TestRunner {
  describe(title: string, body: () => void): unknown;
  it(title: string, body: () => Promise<void>): unknown;
  expect(value: unknown): Expectation;
}

/** The assertions that the suites make. */
export interface Expectation {
  readonly not: Pick<Expectation, 'toBe' | 'toEqual' | 'toContain' | 'toBeNull'>;
  readonly rejects: { toThrow(): Promise<void>; toMatchObject(expected: object): Promise<void> };
  toBe(expected: unknown): void;
  toBeNull(): void;
  toContain(expected: unknown): void;
  toEqual(expected: unknown): void;
  toHaveLength(expected: number): void;
  toMatchObject(expected: object): void;
}
