/** Texts of lists that are long. */
export const lists = {
  searchedPart: 'Only a part of the endpoints was searched. There are more.',
  searchOn: 'Continue the search',
  from: 'From',
  to: 'To',
  range: 'From … to',
  id: 'Id of a delivery or message',
  anyEndpoint: 'Of any endpoint',
  clear: 'Any',
  searchedTo: (time: string) => `No results back to ${time}. Older entries are not searched yet.`,
  still: 'This list stays as it is.',
  newest: 'Show the newest',
  select: 'Select',
  selectAll: 'Select all that are shown',
  retrySelected: (count: string) => `Retry selected (${count})`,
  retried: (count: string) => (count === '1' ? '1 is sent again.' : `${count} are sent again.`),
  notRetried: (count: string) => `${count} not sent again:`,
};
