-- CreateTable
CREATE TABLE "Order" (
    "id" SERIAL NOT NULL,
    "partner" TEXT NOT NULL,
    "total" INTEGER NOT NULL,

    CONSTRAINT "Order_pkey" PRIMARY KEY ("id")
);
