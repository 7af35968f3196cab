import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FOLDER = 'page/style';
/** The file that says what the tokens are. */
const TOKENS = 'base.css';
/** Colours, and lengths of what the tokens have a scale for. A hair of 1px has no place on a scale. */
const LITERALS =
  /#[\da-f]{3,8}\b|\b(?:rgb|hsl|oklch|light-dark)\(|(?:^|[{;\s])(?:font(?:-size)?|border-radius|(?:row-|column-)?gap|(?:margin|padding)(?:-\w+)*): [^;/]*\b(?!1px)\d+px/i;

describe('the style sheets of the page', () => {
  it.each(readdirSync(FOLDER).filter((name) => name.endsWith('.css') && name !== TOKENS))(
    '%s takes colours, letters, space and corners from the tokens',
    (name) => {
      const lines = readFileSync(`${FOLDER}/${name}`, 'utf8').split('\n');
      expect(lines.filter((line) => LITERALS.test(line))).toEqual([]);
    },
  );
});
