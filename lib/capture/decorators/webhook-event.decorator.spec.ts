import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../../errors/index.js';
import { decoratedEntities, type EntityClass, entityEventsOf } from '../../event/entity-events.js';
import { WebhookEvent, Webhooks } from './webhook-event.decorator.js';

interface Author {
  id: number;
  born: Date;
  profile: Promise<{ bio: string }>;
  articles: Fields[];
}
interface Fields {
  id: number;
  title: string;
  author: Author | null;
  tags: Author[];
  data: Uint8Array;
  shout(): string;
}
class Article implements Fields {
  id!: number;
  title!: string;
  author!: Author | null;
  tags!: Author[];
  data!: Uint8Array;
  shout(): string {
    return this.title;
  }
}

class Other {
  id!: string;
}

/** Declares on a class of its own, as JavaScript could. */
function declare(name: unknown, options: unknown): () => void {
  return () => {
    class Sample {}
    WebhookEvent(name as string, options as { on: 'create' })(Sample);
  };
}

describe('@WebhookEvent and @Webhooks on an entity', () => {
  it('record events in the order in which they are written, over what the class shares', () => {
    @Webhooks<Article>({ ref: '/articles/{id}', timeout: 100 })
    @WebhookEvent<Article>('article.created', { on: 'create' })
    @WebhookEvent<Article>('article.removed', { on: 'delete', timeout: 200 })
    class Declared extends Article {}

    expect(entityEventsOf(Declared)).toEqual([
      {
        name: 'article.created',
        options: { on: 'create', ref: '/articles/{id}', timeout: 100 },
        declaredBy: Declared,
      },
      {
        name: 'article.removed',
        options: { on: 'delete', ref: '/articles/{id}', timeout: 200 },
        declaredBy: Declared,
      },
    ]);
    expect(entityEventsOf(Article)).toEqual([]);
    expect(decoratedEntities()).toContain(Declared);
  });

  it('are inherited, and may be said anew', () => {
    @Webhooks<Article>({ timeout: 100, keepAlive: false })
    @WebhookEvent<Article>('article.created', { on: 'create' })
    @WebhookEvent<Article>('article.changed', { on: 'change' })
    class Base extends Article {}
    @Webhooks<Special>({ timeout: 300 })
    @WebhookEvent<Special>('article.created', { on: 'create', softRemoval: false })
    class Special extends Base {}

    expect(entityEventsOf(Special)).toEqual([
      {
        name: 'article.created',
        options: { on: 'create', softRemoval: false, timeout: 300, keepAlive: false },
        declaredBy: Special,
      },
      {
        name: 'article.changed',
        options: { on: 'change', timeout: 300, keepAlive: false },
        declaredBy: Base,
      },
    ]);
    expect(entityEventsOf(Base)[0]?.options).toEqual({
      on: 'create',
      timeout: 100,
      keepAlive: false,
    });
  });

  it.each([
    [
      'no trigger',
      'a.b',
      {},
      /`on` of @WebhookEvent\('a\.b'\) on Sample must be 'create', 'change', 'delete'.*not undefined/,
    ],
    ['an unknown trigger', 'a.b', { on: 'update' }, /`on` .* must be .*not 'update'/],
    [
      'an empty list of triggers',
      'a.b',
      { on: [] },
      /`on` .* must be .* or a list of them, not \[\]/,
    ],
    ['an unknown trigger in a list', 'a.b', { on: ['create', 'update'] }, /`on` .* must be/],
    ['one trigger twice', 'a.b', { on: ['create', 'create'] }, /declares.*twice on 'create'/],
    ['two triggers in one', 'a.b', { on: { added: 'x', removed: 'x' } }, /`on` .* must be/],
    [
      'an empty list of fields',
      'a.b',
      { on: { change: [] } },
      /`on` .* must be.*\{ change: \['field'\] \}/,
    ],
    ['a field that is not in a list', 'a.b', { on: { change: 'title' } }, /`on` .* must be/],
    ...[null, 5, {}, ['title', ''], ['title', 5], [['title']], [null]].map(
      (change): [string, string, object, RegExp] => [
        `fields that are ${JSON.stringify(change)}`,
        'a.b',
        { on: { change } },
        /`on` .* must be/,
      ],
    ),
    [
      'fields and a relation in one',
      'a.b',
      { on: { change: ['title'], added: 'tags' } },
      /`on` .* must be/,
    ],
    ['each of some fields', 'a.b', { on: { change: ['title'], each: true } }, /`on` .* must be/],
    ['each: false', 'a.b', { on: { added: 'x', each: false } }, /`on` .* must be/],
    ['no options', 'a.b', undefined, /`on` .* must be/],
    ['a bad name', 'a..b', { on: 'create' }, /'a\.\.b'/],
    ['a name with a wildcard', 'a.*', { on: 'create' }, /'a\.\*'/],
    ['no name', 7, { on: 'create' }, /`name` .* must be text/],
    [
      'an unknown option',
      'a.b',
      { on: 'create', paylod: 1 },
      /Unknown option `paylod` in @WebhookEvent\('a\.b'\) on Sample\. Valid options: payload/,
    ],
    [
      'a payload that is not a function',
      'a.b',
      { on: 'create', payload: {} },
      /`payload` .* must be a function/,
    ],
    ['an owner that is not a path', 'a.b', { on: 'create', owner: 7 }, /`owner` .* must be a path/],
    ['a ref that is not a text', 'a.b', { on: 'create', ref: 7 }, /`ref` .* must be a template/],
    [
      'headers that are not texts',
      'a.b',
      { on: 'create', headers: { a: 1 } },
      /`headers` .* must be/,
    ],
    [
      'relations that are not a list',
      'a.b',
      { on: 'create', relations: 'author' },
      /`relations` .* must be a list/,
    ],
    [
      'a timeout of nothing',
      'a.b',
      { on: 'create', timeout: 0 },
      /timeout must be a positive whole number/,
    ],
    [
      'a softRemoval of text',
      'a.b',
      { on: 'create', softRemoval: 'no' },
      /`softRemoval` .* must be/,
    ],
    ['a bad condition', 'a.b', { on: 'create', when: { __proto__x: { in: 7 } } }, /in/],
  ])('refuse %s, naming class, event and fix', (_, name, options, text) => {
    expect(declare(name, options)).toThrow(ThornConfigurationError);
    expect(declare(name, options)).toThrow(text);
    expect(declare(name, options)).toThrow(/Sample/);
  });

  it.each([
    [
      { hidden: 'hash' },
      /`hidden` of @Webhooks on Sample must be a list of properties.*not 'hash'/,
    ],
    [{ notSecret: [7] }, /`notSecret` .* must be a list of properties/],
    [{ cascades: true }, /Unknown option `cascades` in @Webhooks/],
  ] as [object, RegExp][])('refuse the settings %j of a class', (settings, text) => {
    class Sample {}
    const declareAll = () => Webhooks(settings)(Sample);
    expect(declareAll).toThrow(ThornConfigurationError);
    expect(declareAll).toThrow(text);
  });

  it('record the same event several times, with other triggers each', () => {
    @WebhookEvent<Often>('a.b', { on: ['create', 'change'] })
    @WebhookEvent<Often>('a.b', { on: { added: 'tags' } })
    @WebhookEvent<Often>('a.b', { on: { removed: 'tags' } })
    class Often extends Article {}
    @WebhookEvent<Anew>('a.b', { on: 'delete' })
    class Anew extends Often {}

    expect(entityEventsOf(Often).map(({ options }) => options.on)).toEqual([
      ['create', 'change'],
      { added: 'tags' },
      { removed: 'tags' },
    ]);
    expect(entityEventsOf(Anew).map(({ options }) => options.on)).toEqual(['delete']);
  });

  it('refuse the same event twice on one trigger, and shared settings twice', () => {
    const twice = () => {
      @WebhookEvent<Twice>('a.b', { on: 'create' })
      @WebhookEvent<Twice>('a.b', { on: ['change', 'create'] })
      class Twice extends Article {}
      return Twice;
    };
    expect(twice).toThrow(/Twice declares the event a\.b twice on 'create'; remove one/);
    expect(declare('a.b', { on: ['change', { change: ['title'] }] })).toThrow(
      "Sample declares the event a.b twice on { change: ['title'] }",
    );
    expect(declare('a.b', { on: [{ change: ['a', 'b'] }, { change: ['b'] }] })).toThrow('twice on');
    expect(declare('a.b', { on: [{ change: ['a'] }, { change: ['b'] }] })).not.toThrow();
    const shared = () => {
      @Webhooks<Shared>({})
      @Webhooks<Shared>({})
      class Shared extends Article {}
      return Shared;
    };
    expect(shared).toThrow(/Shared has @Webhooks twice/);
  });

  it('refuse to stand on a property', () => {
    const settings = Webhooks<Article>({}) as unknown as PropertyDecorator;
    expect(() => settings(Article.prototype, 'title')).toThrow(
      /@Webhooks on Article\.title: .*move the decorator above class Article/,
    );
    const event = WebhookEvent<Article>('a.b', { on: 'create' }) as unknown as PropertyDecorator;
    expect(() => event(Article.prototype, 'title')).toThrow(/Article\.title/);
  });

  it('are typed against the entity', () => {
    const types = () => {
      WebhookEvent<Article>('a', {
        on: { added: 'tags', each: true },
        owner: 'author.articles.author.id',
        relations: ['author', 'author.articles', 'tags'],
        when: { title: { nowEq: 'x' } },
        payload: ({ title, author }, { before }) => [
          title.length,
          author?.id,
          before?.title?.length,
        ],
      })(Article);
      WebhookEvent<Article>('a', {
        on: ['create', { change: ['title', 'author'] }],
        when: { changes: { title: { from: 'x', to: { startsWith: 'y' } }, author: { to: 5 } } },
        payload: (_, { changes }) => changes.title?.from.length,
      })(Article);
      Webhooks<Article>({ owner: 'author.profile.bio' })(Article);
      Webhooks<Article>({ owner: 'author.born' })(Article);

      // @ts-expect-error no such property
      Webhooks<Article>({ owner: 'autor.id' });
      // @ts-expect-error a date is a leaf
      Webhooks<Article>({ owner: 'author.born.getTime' });
      // @ts-expect-error a method is no field
      Webhooks<Article>({ owner: 'shout' });
      // @ts-expect-error a path has at most four segments
      Webhooks<Article>({ owner: 'author.articles.author.articles.id' });
      // @ts-expect-error a column is no relation
      Webhooks<Article>({ relations: ['title'] });
      // @ts-expect-error bytes are no relation
      WebhookEvent<Article>('a', { on: { added: 'data' } });
      // @ts-expect-error not a to-many relation
      WebhookEvent<Article>('a', { on: { added: 'author' } });
      // @ts-expect-error each is true or not there
      WebhookEvent<Article>('a', { on: { added: 'tags', each: false } });
      // @ts-expect-error no such trigger
      WebhookEvent<Article>('a', { on: 'update' });
      // @ts-expect-error no such field
      WebhookEvent<Article>('a', { on: { change: ['titel'] } });
      // @ts-expect-error no such field
      WebhookEvent<Article>('a', { on: 'change', when: { changes: { titel: { to: 'x' } } } });
      // @ts-expect-error wrong type of a value
      WebhookEvent<Article>('a', { on: 'change', when: { changes: { title: { to: 5 } } } });
      // @ts-expect-error no such field
      WebhookEvent<Article>('a', { on: 'change', when: { titel: 'x' } });
      // @ts-expect-error no such property on the row
      Webhooks<Article>({ payload: ({ titel }) => titel });
      // @ts-expect-error another class than the one named
      Webhooks<Article>({})(Other);
      // @ts-expect-error another class than the one named
      WebhookEvent<Article>('a', { on: 'create' })(Other);
    };
    expect(types).toBeTypeOf('function');
    const type: EntityClass = Article;
    expect(type).toBe(Article);
  });
});
