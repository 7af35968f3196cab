/** The data source of a manager or a query runner. TypeORM 0.3 knows it as `connection` alone. */
export function dataSourceOf<Source>(owner: { readonly dataSource: Source }): Source {
  const { dataSource } = owner as { readonly dataSource?: Source };
  return dataSource ?? (owner as unknown as { readonly connection: Source }).connection;
}
