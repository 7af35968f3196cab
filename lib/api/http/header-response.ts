/** What both platforms' responses can do. */
export interface HeaderResponse {
  header(name: string, value: string): unknown;
}
