/** Texts of the body of requests. */
export const bodies = {
  title: 'Body',
  kind: 'Content',
  kinds: {
    whole: 'Everything',
    fields: 'Only some fields',
    thin: 'Only a link',
    template: 'Your own template',
  },
  kindHints: {
    whole: 'Each request has all data of its event.',
    fields: 'Each request has only the fields of the data that you choose.',
    thin: 'Requests have no data. Your server fetches it from the link, with the signing secret of the endpoint.',
    template: 'Each request has the JSON of your template, for example for a chat.',
  },
  known: 'Known fields',
  paths: 'Fields',
  pathsHint: 'Paths such as customer.name, separated by spaces. Other fields are not sent.',
  template: 'Template',
  templateHint:
    'JSON in which {{type}}, {{timestamp}} or {{data.title}} stand for values of the event.',
  ready: 'Begin with a template for:',
  previewEvent: 'Preview with the example of',
  preview: 'Preview',
  noEvent: 'Choose an event to see a preview.',
};
