import type { DefaultTheme } from 'vitepress';

/**
 * The search of the site. A page says what it is found by beside its own words: `<!-- search: helm, k8s -->`, in the
 * section to be found.
 */
export const search: NonNullable<DefaultTheme.Config['search']> = {
  provider: 'local',
  options: {
    _render: (source, env, markdown) => {
      return markdown.render(source.replaceAll(/<!-- search: (.*?) -->/g, '$1'), env);
    },
    miniSearch: {
      searchOptions: {
        // Runs in the browser: the reference behind the guides, the beginnings of pages before their sections.
        boostDocument: (id, _term, { titles = [] } = {}) => {
          const looksUp = /\/(reference\/|errors#|architecture|security\/threats|#)/.test(
            String(id),
          );
          return (looksUp ? 0.3 : 1) * ((titles as readonly string[]).length === 0 ? 1.4 : 1);
        },
      },
    },
  },
};
