/** Texts of lists that are long. */
export const lists = {
  searched: (count: string) => `The first ${count} endpoints were searched. There are more.`,
  searchedPart: 'Only a part of the endpoints was searched. There are more.',
  searchOn: 'Search further',
  cut: (count: string) => `The first ${count} are shown. Search for the others.`,
};
