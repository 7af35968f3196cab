CREATE TABLE "orders" (
	"id" serial PRIMARY KEY NOT NULL,
	"partner" text NOT NULL,
	"total" integer NOT NULL
);
