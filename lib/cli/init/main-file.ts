import type ts from 'typescript';
import type { TypeScript } from './source-edits.js';

/** How an application is reached, as its main file says it. */
export interface Address {
  /** An expression for the port: `process.env.PORT ?? 3000`. */
  readonly port: string;
  readonly defaultPort: string;
  /** The global prefix, `/api`; empty without one, null where it is not written in the file. */
  readonly prefix: string | null;
}

/** Reads the port that the application listens on, and its global prefix. */
export function addressOf(compiler: TypeScript, text: string): Address {
  const source = compiler.createSourceFile('main.ts', text, compiler.ScriptTarget.Latest, true);
  const found = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (compiler.isCallExpression(node) && compiler.isPropertyAccessExpression(node.expression)) {
      found.set(node.expression.name.text, node.arguments[0]?.getText(source) ?? '');
    }
    compiler.forEachChild(node, visit);
  };
  visit(source);
  const port = found.get('listen') ?? '';
  const initializer = initializerOf(port, text);
  const [, ofEnvironment, bracketed, ofService] =
    /process\.env\.(\w+)|process\.env\[\s*['"](\w+)['"]|get(?:OrThrow)?(?:<\w+>)?\(\s*['"](\w+)['"]/.exec(
      initializer,
    ) ?? [];
  const variable = ofEnvironment ?? bracketed ?? ofService;
  const [defaultPort = '3000'] = /(?<![\w.])\d{2,5}(?!\w)/.exec(initializer) ?? [];
  const prefix = found.get('setGlobalPrefix');
  const [, literal] = /^['"`]\/?([^'"`$]*?)\/?['"`]$/.exec(prefix ?? '') ?? [];
  return {
    port: variable === undefined ? defaultPort : `process.env.${variable} ?? ${defaultPort}`,
    defaultPort,
    prefix:
      prefix === undefined ? '' : literal === undefined ? null : `/${literal}`.replace(/\/$/, ''),
  };
}

/** The expression itself, or that of the variable that it names: `const port = config.get('PORT') ?? 3000`. */
function initializerOf(port: string, text: string): string {
  if (!/^[A-Za-z_]\w*$/.test(port)) return port;
  const [, found = port] = new RegExp(`\\b${port}\\s*(?::\\s*\\w+\\s*)?=([^;]*)`).exec(text) ?? [];
  return found;
}
