import { EntityMessageSource } from '../../dispatch/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { type EntityClass, entityEventsOf } from '../../event/entity-events.js';
import { EntityCaptures, EntitySources } from './entity-sources.js';

export class NoEntitySources extends EntitySources {
  override readonly databases = [];

  override capture(): EntityCaptures {
    return new NoEntityCaptures();
  }
}

class NoEntityCaptures extends EntityCaptures {
  override readonly transactions = undefined;
  override readonly messages = new NoEntityMessages();

  override assertKnown(): void {}

  override unknown(classes: Iterable<EntityClass>): readonly EntityClass[] {
    return [...classes].filter((type) => entityEventsOf(type).length > 0);
  }

  override secrets(): readonly [] {
    return [];
  }

  override async reportedChanges(): Promise<readonly []> {
    return [];
  }

  override detach(): void {}
}

class NoEntityMessages extends EntityMessageSource {
  override async messageOf(): Promise<never> {
    throw refusal();
  }

  // eslint-disable-next-line require-yield
  override async *messagesOf(): AsyncGenerator<never> {
    throw refusal();
  }
}

function refusal(): InvalidInputError {
  return new InvalidInputError(
    'entity',
    'is not an entity with events in a captured data source: sendFor() needs TypeORM. Use send()',
  );
}
