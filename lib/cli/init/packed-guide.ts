/** Where a guide is from the application's own folder: the package carries those that messages name. */
export function packedGuide(name: 'migrations' | 'tutorial/prisma' | 'tutorial/drizzle'): string {
  return `node_modules/nestjs-thorn/docs/${name}.md`;
}
