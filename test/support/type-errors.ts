import ts from 'typescript';

/** Compiles a file with this text, which imports nothing, at the strictest. @returns the messages of the compiler */
export function typeErrorsIn(text: string): readonly string[] {
  const name = 'text.ts';
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    types: [],
    lib: ['lib.es2022.d.ts'],
    // The text alone: not the library of the language as well.
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (file) => file === name || fileExists(file);
  host.getSourceFile = (file, languageVersion) =>
    file === name
      ? ts.createSourceFile(file, text, languageVersion)
      : getSourceFile.call(host, file, languageVersion);
  const program = ts.createProgram([name], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
