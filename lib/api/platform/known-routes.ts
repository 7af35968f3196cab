import type { RouteMark } from './route-mark.js';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
  readonly problems: boolean;
}

/** A path of this library that a request is for. */
export interface MatchedPath {
  /** The methods that the path has, as the header `Allow` lists them. */
  readonly allow: string;
  readonly methods: ReadonlySet<string>;
  readonly problems: boolean;
}

/** The paths of this library's routes, as the platform registered them. */
export class KnownRoutes {
  readonly #paths = new Map<string, KnownPath>();
  readonly #apis = new Set<string>();
  readonly #pages = new Set<string>();

  /** The paths of the APIs that the routes belong to, with the prefixes of the application. */
  get apis(): readonly string[] {
    return [...this.#apis].sort();
  }

  /** The paths of pages, likewise. */
  get pages(): readonly string[] {
    return [...this.#pages].sort();
  }

  /** @param path literal segments and `:parameters`; a path with anything else is left to the platform */
  add(method: string, path: string, { problems, api, isPage }: RouteMark): void {
    const plain = path.replace(/\/+$/, '');
    const end = `${plain}/`.lastIndexOf(`/${api}/`);
    if (end !== -1) (isPage ? this.#pages : this.#apis).add(plain.slice(0, end + api.length + 1));
    if (/[*(){}+?]/.test(plain)) return;
    const known = this.#paths.get(plain) ?? {
      // Express takes paths in any case, and so does Fastify where it is told to.
      pattern: new RegExp(`^${plain.split('/').map(segmentPattern).join('/')}/?$`, 'i'),
      methods: new Set<string>(),
      problems,
    };
    known.methods.add(method.toUpperCase());
    this.#paths.set(plain, known);
  }

  /** @param url the target of a request, with its query */
  match(url: string): MatchedPath | null {
    const [path = ''] = url.split('?', 1);
    const found = [...this.#paths.values()].filter(({ pattern }) => pattern.test(path));
    if (found.length === 0) return null;
    // Literal paths come first, as in the router: /event-types before /:id.
    const [{ problems } = { problems: true }] = found;
    const methods = new Set(found.flatMap((one) => [...one.methods]));
    if (methods.has('GET')) methods.add('HEAD');
    return { methods, problems, allow: [...methods].sort().join(', ') };
  }
}

function segmentPattern(segment: string): string {
  if (segment.startsWith(':')) return '[^/]+';
  return segment.replaceAll(/[.~-]/g, (sign) => `\\${sign}`);
}
