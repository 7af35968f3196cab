/**
 * The statements that make the table `thorn_changes` and the trigger function `thorn_report_change()` of the change feed, on
 * PostgreSQL.
 *
 * @param path the name of a table or a function in SQL, with its schema
 */
export function createChangeFeed(path: (name: string) => string): readonly string[] {
  const [table, report] = [path('thorn_changes'), path('thorn_report_change')];
  return [
    // A transaction is told by its number: changes of a row are merged, and the ones that were captured are removed.
    `CREATE TABLE ${table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tx bigint NOT NULL, entity text NOT NULL, key jsonb NOT NULL, old_row jsonb, new_row jsonb)`,
    // By the hash: a long key would be too long for an index, and the application's write would fail.
    `CREATE INDEX ON ${table} (tx, jsonb_hash(key))`,
    reportFunction(report, table),
    // Else any role that may create a table could make up changes with a trigger on its own.
    `REVOKE EXECUTE ON FUNCTION ${report}() FROM PUBLIC`,
  ];
}

/** The statements that remove both, and the triggers that the application has made of the function. */
export function dropChangeFeed(path: (name: string) => string): readonly string[] {
  return [
    `DROP FUNCTION ${path('thorn_report_change')}() CASCADE`,
    `DROP TABLE ${path('thorn_changes')}`,
  ];
}

/** It runs as its owner: whoever may write the table needs no right to write ours. */
function reportFunction(name: string, table: string): string {
  return `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $thorn$
DECLARE
  old_row jsonb;
  new_row jsonb;
  old_key jsonb;
  new_key jsonb;
BEGIN
  IF TG_NARGS < 2 OR TG_LEVEL <> 'ROW' OR TG_WHEN <> 'AFTER' THEN
    RAISE EXCEPTION 'The trigger % on % must be AFTER … FOR EACH ROW EXECUTE FUNCTION thorn_report_change(''Entity'', ''key column'')', TG_NAME, TG_TABLE_NAME;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    old_row := to_jsonb(OLD);
    old_key := (SELECT jsonb_object_agg(name, old_row ->> name) FROM unnest(TG_ARGV[1:]) AS name);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    new_row := to_jsonb(NEW);
    new_key := (SELECT jsonb_object_agg(name, new_row ->> name) FROM unnest(TG_ARGV[1:]) AS name);
  END IF;
  IF NOT coalesce(new_row, old_row) ?& TG_ARGV[1:] THEN
    RAISE EXCEPTION 'The trigger % on % names a key column that the table does not have', TG_NAME, TG_TABLE_NAME;
  END IF;
  IF old_row = new_row THEN
    RETURN NULL;
  END IF;
  IF old_key <> new_key THEN
    INSERT INTO ${table} (tx, entity, key, old_row) VALUES (txid_current(), TG_ARGV[0], old_key, old_row);
    old_row := NULL;
  END IF;
  INSERT INTO ${table} (tx, entity, key, old_row, new_row) VALUES (txid_current(), TG_ARGV[0], coalesce(new_key, old_key), old_row, new_row);
  RETURN NULL;
END
$thorn$`;
}
