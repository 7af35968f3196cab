import { ThornConfigurationError } from '../../errors/index.js';
import { compileCondition } from '../../event/conditions/condition-compile.js';
import { type DeclaredEntityEvent, triggersOf } from '../../event/entity-events.js';
import { compileEventName } from '../../event/event-name.js';
import { orderSetting } from '../../message/index.js';
import { templateFields } from '../payload/ref-template.js';

interface Declaration {
  readonly declaration: string;
  readonly keys: readonly string[];
  readonly omit: readonly string[];
  readonly events: readonly DeclaredEntityEvent[];
}

/**
 * Refuses events that need a column which triggers do not write down.
 *
 * @throws {@link ThornConfigurationError} naming the setting and the column
 */
export function checkNotOmitted({ declaration, keys, omit, events }: Declaration): void {
  const refuse = (place: string, setting: string, column: string): never => {
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${place}: ${setting} names ${column}, which omit leaves out of what triggers write down. ` +
        `Take ${column} out of omit; to keep it from payloads alone, name it in hidden`,
      { declaration, column },
    );
  };
  const omittedOf = (paths: readonly string[]) =>
    omit.find((column) => paths.some((path) => path === column || path.startsWith(`${column}.`)));
  const omittedKey = omittedOf(keys);
  if (omittedKey !== undefined) refuse(declaration, 'key', omittedKey);
  for (const event of events) {
    for (const [setting, paths] of Object.entries(pathsOf(event))) {
      const column = omittedOf(paths);
      if (column !== undefined) refuse(`${declaration}, event ${event.name}`, setting, column);
    }
  }
}

/** The paths that the settings of an event name. */
function pathsOf({ name, options }: DeclaredEntityEvent): Readonly<Record<string, string[]>> {
  const { ref, owner, orderBy = false, when } = options;
  const { key } = orderSetting(orderBy);
  const condition = when === undefined ? undefined : compileCondition(when);
  return {
    'the name': [...compileEventName(name).paths],
    ref: typeof ref === 'string' ? templateFields(ref) : [],
    owner: typeof owner === 'string' ? [owner] : [],
    orderBy: typeof key === 'string' ? [key] : [],
    on: triggersOf(options).flatMap((on) =>
      typeof on === 'object' && 'change' in on ? [...on.change] : [],
    ),
    when: (condition?.paths ?? []).map((path) => path.replace(/^changes\./, '')),
  };
}
