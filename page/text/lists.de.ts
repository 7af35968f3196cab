import type { lists as listsEn } from './lists.en.js';
import type { Translation } from './translation.js';

export const lists: Translation<typeof listsEn> = {
  searched: (count) => `Die ersten ${count} Endpunkte wurden durchsucht. Es gibt mehr.`,
  searchedPart: 'Erst ein Teil der Endpunkte wurde durchsucht. Es gibt mehr.',
  searchOn: 'Weiter suchen',
  cut: (count) => `Die ersten ${count} sind gezeigt. Suchen Sie nach den anderen.`,
};
