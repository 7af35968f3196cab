-- Run: npx prisma migrate dev --create-only --name thorn_triggers
-- Put this file in place of prisma/migrations/<time>_thorn_triggers/migration.sql, then run: npx prisma migrate dev
CREATE OR REPLACE FUNCTION "thorn"."thorn_report_Order"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET bytea_output = 'hex' SET extra_float_digits = '1' SET IntervalStyle = 'postgres' SET DateStyle = 'ISO' SET TimeZone = 'UTC' AS $thorn$
DECLARE
  is_heard boolean;
BEGIN
  -- A subscription that makes the table heard holds this lock alone, so each change that commits after it is reported.
  IF pg_catalog.pg_try_advisory_xact_lock_shared(-3508553633732281828) THEN
    SELECT c.heard INTO is_heard FROM "thorn"."thorn_captured_tables" c WHERE c.name OPERATOR(pg_catalog.=) 'Order';
    IF is_heard IS FALSE THEN
      IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
        -- The transaction sees the database as it was: an error where the row has changed since.
        SELECT c.heard INTO is_heard FROM "thorn"."thorn_captured_tables" c WHERE c.name OPERATOR(pg_catalog.=) 'Order' FOR KEY SHARE;
      END IF;
      RETURN NULL;
    END IF;
  END IF;
  IF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO "thorn"."thorn_changes" (tx, source, old_row, new_row) SELECT pg_catalog.txid_current(), 'Order', NULL, pg_catalog.to_json(n.*) FROM thorn_new n;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO "thorn"."thorn_changes" (tx, source, old_row, new_row) SELECT pg_catalog.txid_current(), 'Order', pg_catalog.to_json(o.*), NULL FROM thorn_old o;
  ELSE
    INSERT INTO "thorn"."thorn_changes" (tx, source, old_row, new_row) SELECT pg_catalog.txid_current(), 'Order', CASE WHEN o."id" IS NULL THEN NULL ELSE pg_catalog.to_json(o.*) END, CASE WHEN n."id" IS NULL THEN NULL ELSE pg_catalog.to_json(n.*) END
    FROM thorn_old o FULL JOIN thorn_new n ON o."id" OPERATOR(pg_catalog.=) n."id"
    WHERE o."id" IS NULL OR n."id" IS NULL OR o.* OPERATOR(pg_catalog.*<>) n.*;
  END IF;
  RETURN NULL;
END
$thorn$;
REVOKE EXECUTE ON FUNCTION "thorn"."thorn_report_Order"() FROM PUBLIC;
DROP TRIGGER IF EXISTS "thorn_insert" ON "public"."Order";
CREATE TRIGGER "thorn_insert" AFTER INSERT ON "public"."Order" REFERENCING NEW TABLE AS thorn_new FOR EACH STATEMENT EXECUTE FUNCTION "thorn"."thorn_report_Order"();
DROP TRIGGER IF EXISTS "thorn_update" ON "public"."Order";
CREATE TRIGGER "thorn_update" AFTER UPDATE ON "public"."Order" REFERENCING OLD TABLE AS thorn_old NEW TABLE AS thorn_new FOR EACH STATEMENT EXECUTE FUNCTION "thorn"."thorn_report_Order"();
DROP TRIGGER IF EXISTS "thorn_delete" ON "public"."Order";
CREATE TRIGGER "thorn_delete" AFTER DELETE ON "public"."Order" REFERENCING OLD TABLE AS thorn_old FOR EACH STATEMENT EXECUTE FUNCTION "thorn"."thorn_report_Order"();
