import { type Given, parseText } from '../commands/command.js';
import { type Terminal, UsageError } from '../commands/terminal.js';
import type { ApplicationClass, ApplicationClasses } from './application-classes.js';
import { type Setup } from './page-files.js';

/** The parts that `thorn init` sets up in an application that has an entity or a guard. */
export interface Choice extends Omit<Setup, 'ending' | 'database' | 'tables'> {
  readonly entity: ApplicationClass | undefined;
  /** The property of the entity that holds its owner's id. */
  readonly owner: string | undefined;
}

const OWNERS = ['owner', 'user', 'customer', 'tenant', 'organisation', 'organization', 'account']
  .concat(['author', 'partner'])
  .flatMap((name) => [`${name}Id`, name]);
const IDENTIFIERS = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/;

/** Takes the choice from the options, and asks for the missing parts. @returns undefined for the example */
export async function chosen(
  classes: ApplicationClasses,
  given: Given,
  terminal: Terminal,
): Promise<Choice | undefined> {
  const questions = new Questions(given, terminal);
  const isGiven = ['entity', 'guard', 'page'].some((name) => given[name] !== undefined);
  if (!isGiven && (given['yes'] === true || classes.entities.length === 0)) return undefined;
  const entityName = await questions.name(
    'entity',
    `The entity that sends events (${namesOf(classes.entities)}; empty for ${isGiven ? 'none' : 'an example'}): `,
  );
  if (entityName === '' && !isGiven) return undefined;
  const entity = entityName === '' ? undefined : classes.find('entity', entityName);
  const guardName = await questions.name(
    'guard',
    `The guard of the REST API (${namesOf(classes.guards)}; empty for no API): `,
  );
  const guard = guardName === '' ? undefined : classes.find('guard', guardName);
  if (given['page'] === true && guard === undefined) {
    throw new UsageError(`--page needs --guard; there are: ${namesOf(classes.guards)}`);
  }
  return {
    entity,
    owner: entity && (await ownerOf(entity, guard !== undefined, questions)),
    guard,
    guardModule: guard && classes.moduleOf(guard),
    caller: guard === undefined ? 'user.id' : await questions.caller(),
    hasPage: guard !== undefined && (await questions.page()),
  };
}

async function ownerOf(
  { name, properties, relations }: ApplicationClass,
  hasApi: boolean,
  questions: Questions,
): Promise<string | undefined> {
  const found = OWNERS.find((one) => properties.includes(one));
  const guess = found !== undefined && relations.includes(found) ? `${found}.id` : found;
  const owner = await questions.name(
    'owner',
    `The property of ${name} that holds the id of its owner, - for none [${guess ?? '-'}]: `,
    guess,
  );
  if (owner === '-') return undefined;
  if (owner === '') {
    if (!hasApi) return undefined;
    throw new UsageError(
      `whose is a row of ${name}? Without an owner every user gets its events. Give --owner with a property ` +
        `(${properties.join(', ')}), or --owner - for everybody`,
    );
  }
  if (IDENTIFIERS.test(owner) && properties.includes(owner.split('.')[0]!)) return owner;
  throw new UsageError(
    `--owner ${owner} is not a property of ${name}; there are: ${properties.join(', ')}`,
  );
}

/** Reads options, and asks for the options that are not given. */
class Questions {
  constructor(
    private readonly given: Given,
    private readonly terminal: Terminal,
  ) {}

  /** Returns the usual answer where none is given, or nothing is to be asked. */
  async name(option: string, question: string, usual = ''): Promise<string> {
    const value = parseText(this.given, option);
    if (value !== undefined) return value;
    if (this.given['yes'] === true) return usual;
    return (await this.terminal.ask(question)).trim() || usual;
  }

  async page(): Promise<boolean> {
    if (this.given['page'] === true || this.given['yes'] === true)
      return this.given['page'] === true;
    return /^y(es)?$/i.test((await this.terminal.ask("The owners' page? [y/N] ")).trim());
  }

  /** @throws {@link UsageError} when the answer is not a path of names */
  async caller(): Promise<string> {
    const question = 'Where the guard leaves the id of the user on the request [user.id]: ';
    const path = await this.name('user', question, 'user.id');
    if (IDENTIFIERS.test(path)) return path;
    throw new UsageError(`--user ${path} must be a path of the request such as user.id`);
  }
}

function namesOf(classes: readonly ApplicationClass[]): string {
  return classes.map(({ name }) => name).join(', ') || 'none';
}
