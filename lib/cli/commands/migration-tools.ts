/** The tools of migrations whose form of SQL is printed. */
export const TOOL_NAMES = ['prisma', 'drizzle'] as const;

export type ToolName = (typeof TOOL_NAMES)[number];

interface Tool {
  /** The comment above the statements, which says where to put them. */
  readonly head: (name: string) => string;
  readonly between: string;
}

const TOOLS: Readonly<Record<ToolName | 'none', Tool>> = {
  none: { head: () => '', between: '\n' },
  prisma: {
    head: (name) =>
      `-- Run: npx prisma migrate dev --create-only --name ${name}\n` +
      `-- Put this file in place of prisma/migrations/<time>_${name}/migration.sql, then run: npx prisma migrate dev\n`,
    between: '\n',
  },
  drizzle: {
    head: (name) =>
      `-- Run: npx drizzle-kit generate --custom --name=${name}\n` +
      '-- Put this file in place of the empty SQL file that drizzle-kit names, then run: npx drizzle-kit migrate\n',
    between: '\n--> statement-breakpoint\n',
  },
};

/** Statements as a tool of migrations takes them; without one as a script. */
export function migrationText(
  tool: ToolName | undefined,
  name: string,
  statements: readonly string[],
): string {
  const { head, between } = TOOLS[tool ?? 'none'];
  return head(name) + statements.map((statement) => `${statement};`).join(between);
}
