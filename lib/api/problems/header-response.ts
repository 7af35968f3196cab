/** The part of a response that both platforms share. */
export interface HeaderResponse {
  header(name: string, value: string): unknown;
  status(code: number): unknown;
}
