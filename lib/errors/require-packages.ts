import { ThornConfigurationError } from './errors.js';

/**
 * Checks that an entry's packages are installed, before the entry imports them: an error of its own names the command
 * that installs them.
 *
 * @param loaders by package name; each calls `require()` with the name as a literal, so that bundlers see the package
 * @throws {@link ThornConfigurationError} naming the packages that are not installed
 */
export function requirePackages(
  entry: string,
  loaders: Readonly<Record<string, () => unknown>>,
): void {
  const missing = Object.keys(loaders).filter((name) => isMissing(name, loaders[name]!));
  if (missing.length > 0) throw missingPackages(entry, missing);
}

/** @param user the entry or function that needs the packages, such as `nestjs-thorn/bullmq` */
export function missingPackages(
  user: string,
  packages: readonly string[],
): ThornConfigurationError {
  const [names, command] = [packages.join(' and '), `npm install ${packages.join(' ')}`];
  const isOne = packages.length === 1;
  return new ThornConfigurationError(
    'THORN_PACKAGE_MISSING',
    `${user} needs the package${isOne ? '' : 's'} ${names}, which ${isOne ? 'is' : 'are'} not installed. Run: ${command}`,
    { packages, command },
  );
}

function isMissing(name: string, load: () => unknown): boolean {
  try {
    load();
    return false;
  } catch (error) {
    // Every other error is thrown again by the entry's own import.
    const { code, message } = error as Partial<NodeJS.ErrnoException>;
    return code === 'MODULE_NOT_FOUND' && message?.includes(`'${name}'`) === true;
  }
}
