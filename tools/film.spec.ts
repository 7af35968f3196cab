import { expect, it } from 'vitest';
import { differences, filmOf } from './film.mjs';

const STORY = [
  'bundle: 44 files',
  'The blog listens on http://127.0.0.1:40123.',
  '',
  'Alice creates an article',
  '  204 verified article.tagged  {"ref":"1 < 2"}',
  '  204 verified article.created  {"timestamp":"2026-11-30T07:16:05.074Z"}',
  '[Nest] 17743  - WARN [Thorn] Before production: …',
  '',
  'What is refused, with a reason',
  '  400 not http',
  '',
  'An outage: the blog is killed (-9)',
  '  204 verified msg_01a2-b4f',
];

const film = filmOf(STORY.map((text, second) => ({ text, at: second * 10 })));

it('shows the scenes of the demo in their order, without logs, within twenty seconds', () => {
  const lines = [...film.matchAll(/<text[^>]*>([^<]*)/g)].map(([, text]) => text);
  expect(lines).toEqual([
    '$ npm run demo',
    'The blog listens on http://127.0.0.1:….',
    'Alice creates an article',
    '  204 verified article.tagged  {"ref":"1 &lt; 2"}',
    '  204 verified article.created  {"timestamp":"…"}',
    'An outage: the blog is killed (-9)',
    '  204 verified msg_…',
  ]);
  expect(Number(/animation:([\d.]+)s/.exec(film)![1])).toBeLessThan(20);
});

it('is compared with another run, whose ports and times differ', () => {
  const [head, , ...rest] = STORY;
  const [blank, title, tagged, created, ...end] = rest;
  const later = created!.replace('07:16', '09:59');
  const again = [head, 'The blog listens on http://127.0.0.1:1.', blank, title, later, tagged];
  expect(differences(film, [...again, ...end].join('\n'))).toEqual([]);

  const changed = STORY.join('\n').replace('article.created', 'article.made');
  expect(differences(film, changed)).toEqual([
    'not in the film: Alice creates an article:  204 verified article.made  {"timestamp":"…"}',
    'in the film only: Alice creates an article:  204 verified article.created  {"timestamp":"…"}',
    '6 lines are in the film, and 6 were printed',
  ]);
});
