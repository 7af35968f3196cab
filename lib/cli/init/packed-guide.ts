/** The path of a guide from the application's own folder. The package contains the guides that messages name. */
export function packedGuide(name: 'migrations' | 'tutorial/prisma' | 'tutorial/drizzle'): string {
  return `node_modules/nestjs-thorn/docs/${name}.md`;
}
