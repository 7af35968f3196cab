// Usage: node tools/reference.mjs [--check]
//
// Writes the tables of options and the tables of the database, docs/reference, from the types and their TSDoc. With `--check` it says which are out of date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';
import { PAGES } from './reference-pages.mjs';
import { tablesPage } from './reference-tables.mjs';

const FOLDER = 'docs/reference';
const NOTE = '<!-- Generated from the types by `npm run docs:options`. -->';
const LONGEST_ALIAS = 48;
/** Fewer rows of another section are shown again. */
const FEWEST_SHARED = 2;

/**
 * The pages by path.
 *
 * @returns {Promise<Readonly<Record<string, string>>>}
 */
export async function referencePages() {
  const types = new Types();
  const sectionOf = new Map(
    PAGES.flatMap(({ file, sections }) =>
      sections.map((section) => /** @type {const} */ ([section.type, { file, section }])),
    ),
  );
  const style = { ...(await resolveConfig('package.json')), parser: 'markdown' };
  /** @type {Record<string, string>} */
  const pages = {};
  /** @type {{ title: string, link: string, file: string, rows: readonly Row[] }[]} */
  const shown = [];
  for (const { file, title, about, example, sections } of PAGES) {
    const isOptions = !file.startsWith('lifecycle');
    const tables = sections.map((section) => {
      const from = section.import ? `From \`${section.import}\`. ` : '';
      const rows = types.membersOf(section).flatMap((member) => rowsOf(member, section));
      const { own, others } = parted(rows, file, shown);
      const name = section.title ?? section.type;
      shown.push({ title: name, link: `#${anchorOf(name)}`, file, rows });
      const table = tableOf(
        own.map(({ type, ...row }) => ({ ...row, type: linked(type, file) })),
        isOptions,
      );
      const intro = `${from}${withoutTitle(types.textOf(section.type))}`.trim();
      return [`## ${section.title}`, intro, own.length > 0 ? table : '', others]
        .filter(Boolean)
        .join('\n\n');
    });
    const text = [`# ${title}`, about, `\`\`\`ts\n${example}\n\`\`\``, NOTE, ...tables].join(
      '\n\n',
    );
    pages[`${FOLDER}/${file}`] = await format(text, style);
  }
  const tables = tablesPage(types.files, (node) => plain(docOf(node, true).text));
  pages[`${FOLDER}/tables.md`] = await format(tables, style);
  return pages;

  /** @param {string} type @param {string} file */
  function linked(type, file) {
    const code = `\`${type.replaceAll('|', '\\|')}\``;
    const [name] = type.match(/\b[A-Z]\w+\b/g)?.filter((one) => sectionOf.has(one)) ?? [];
    if (name === undefined) return code;
    const target = /** @type {{ file: string, section: Section }} */ (sectionOf.get(name));
    const anchor = anchorOf(target.section.title ?? name);
    return `[${code}](${target.file === file ? '' : target.file}#${anchor})`;
  }
}

/** @typedef {import('./reference-pages.mjs').Section} Section */
/** @typedef {{ name: string, type: string, isOptional: boolean, text: string, parts: readonly Member[] }} Member */
/** @typedef {{ name: string, type: string, unit: string, preset: string, text: string }} Row */

/** Reads types of `lib` as they are written. */
class Types {
  constructor() {
    const { config } = ts.readConfigFile('tsconfig.build.json', ts.sys.readFile);
    const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
    this.program = ts.createProgram(fileNames, { ...options, noEmit: true, skipLibCheck: true });
    this.checker = this.program.getTypeChecker();
    /** @type {Map<string, ts.InterfaceDeclaration>} */
    this.found = new Map();
    /**
     * Aliases that are shown as what they stand for.
     *
     * @type {Map<string, string>}
     */
    this.short = new Map();
    this.files = this.program.getSourceFiles().filter((file) => !file.isDeclarationFile);
    for (const file of this.files) {
      for (const one of file.statements) {
        if (ts.isInterfaceDeclaration(one)) this.found.set(one.name.text, one);
        if (!ts.isTypeAliasDeclaration(one) || one.typeParameters) continue;
        const text = withoutNoise(one.type.getText());
        if (text.length <= LONGEST_ALIAS) this.short.set(one.name.text, text);
      }
    }
  }

  /** @param {string} name */
  declaration(name) {
    const found = this.found.get(name);
    if (found === undefined)
      throw new Error(`There is no interface ${name}: see tools/reference-pages.mjs`);
    return found;
  }

  /** @param {string} name */
  textOf(name) {
    return plain(docOf(this.declaration(name)).text);
  }

  /**
   * Its own members first, then those that it inherits, unless the section is about its own alone.
   *
   * @param {Section} section
   * @returns {readonly Member[]}
   */
  membersOf({ type: name, own = false }) {
    const declaration = this.declaration(name);
    const type = this.checker.getTypeAtLocation(declaration);
    return type.getProperties().flatMap((property) => {
      const [member] = property.declarations ?? [];
      if (!member || (own && member.parent !== declaration)) return [];
      const isMember = ts.isPropertySignature(member) || ts.isMethodSignature(member);
      // What another form of the options has, and this one refuses.
      if (!isMember || member.type?.kind === ts.SyntaxKind.NeverKeyword) return [];
      return [this.memberOf(member)];
    });
  }

  /**
   * @param {ts.PropertySignature | ts.MethodSignature} node
   * @returns {Member}
   */
  memberOf(node) {
    const shape =
      ts.isPropertySignature(node) && node.type && ts.isTypeLiteralNode(node.type) && node.type;
    const parts = shape ? shape.members.filter((one) => ts.isPropertySignature(one)) : [];
    const type = typeText(node);
    return {
      name: node.name.getText().replaceAll("'", ''),
      type: shape ? 'object' : (this.short.get(type) ?? type),
      isOptional: node.questionToken !== undefined,
      text: docOf(node).text,
      parts: parts.map((part) => this.memberOf(part)),
    };
  }
}

/** @param {ts.PropertySignature | ts.MethodSignature} node */
function typeText(node) {
  const text = ts.isMethodSignature(node)
    ? `(${node.parameters.map((one) => one.getText()).join(', ')}) => ${node.type?.getText()}`
    : (node.type?.getText() ?? 'unknown');
  return withoutNoise(text);
}

/** @param {string} text */
function withoutNoise(text) {
  return text
    .replaceAll(/\/\*\*.*?\*\//gs, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\breadonly /g, '')
    .replace(/^\| /, '')
    .replaceAll(/ \| undefined$/g, '');
}

/** @param {ts.Node} node @param {boolean} isFirst without the paragraphs behind the first */
function docOf(node, isFirst = false) {
  const [doc] = ts
    .getJSDocCommentsAndTags(node)
    .filter((one) => ts.isJSDoc(one))
    .slice(-1);
  const whole = doc ? (ts.getTextOfJSDocComment(doc.comment) ?? '') : '';
  const [text = ''] = isFirst ? whole.split(/\n\s*\n/) : [whole];
  const since = ts.getJSDocTags(node).find(({ tagName }) => tagName.text === 'since');
  const version = since ? ` Since ${ts.getTextOfJSDocComment(since.comment)}.` : '';
  return { text: `${text.replaceAll(/\s+/g, ' ').trim()}${version}` };
}

/**
 * @param {Member} member
 * @param {Section} section
 * @returns {readonly Row[]}
 */
function rowsOf({ name, type, isOptional, text, parts }, section, before = '') {
  const sentences = text.split(/(?<=[.:]) (?=[A-Z`])/);
  const isDefault = (/** @type {string} */ one) => /^Defaults?\b/.test(one);
  const stated = joined(sentences).find(isDefault) ?? '';
  const preset = stated.replace(/^Default:? ?/, '').replace(/\.$/, '');
  const rest = joined(sentences)
    .filter((one) => !isDefault(one))
    .join(' ');
  const absent = isOptional || section.rules || before !== '' ? '' : 'required';
  const unit = unitOf(name, text);
  const row = {
    name: `${before}${name}`,
    type,
    unit,
    preset: preset || absent,
    // The column says it.
    text: unit === '' ? rest : rest.replace(/,? in (?:milli)?seconds\b(?! since)/g, ''),
  };
  return [row, ...parts.flatMap((part) => rowsOf(part, section, `${before}${name}.`))];
}

/**
 * A colon ends no sentence: `Default: the table` is one.
 *
 * @param {readonly string[]} parts
 */
function joined(parts) {
  /** @type {string[]} */
  const whole = [];
  for (const part of parts) {
    if (whole.at(-1)?.endsWith(':')) whole.push(`${whole.pop()} ${part}`);
    else whole.push(part);
  }
  return whole;
}

/**
 * The rows that no earlier section has, and a sentence about the others.
 *
 * @param {readonly Row[]} rows
 * @param {string} file
 * @param {readonly { title: string, link: string, file: string, rows: readonly Row[] }[]} shown
 */
function parted(rows, file, shown) {
  const isOf = (/** @type {readonly Row[]} */ others) => (/** @type {Row} */ row) =>
    others.some((one) => JSON.stringify(one) === JSON.stringify(row));
  const [most] = shown
    .map((one) => ({ ...one, same: rows.filter(isOf(one.rows)) }))
    .toSorted((one, other) => other.same.length - one.same.length);
  if (most === undefined || most.same.length < FEWEST_SHARED) return { own: rows, others: '' };
  const names = most.same.map(({ name }) => `\`${name}\``).join(', ');
  const link = `${most.file === file ? '' : most.file}${most.link}`;
  return {
    own: rows.filter((row) => !isOf(most.same)(row)),
    others: `As in [${most.title}](${link}): ${names}.`,
  };
}

/**
 * Without a text that only says the title again.
 *
 * @param {string} text
 */
function withoutTitle(text) {
  return text.replace(/^(?:Options|Settings) (?:of|for) `[^`]+`(?:, and [^.]*)?\.(?: |$)/, '');
}

/** @param {string} name @param {string} text */
function unitOf(name, text) {
  if (name.endsWith('Days')) return 'days';
  if (name.endsWith('Bytes')) return 'bytes';
  if (/\bmilliseconds\b/i.test(text)) return 'ms';
  return /\bin seconds\b/.test(text) ? 's' : '';
}

/** @param {readonly Row[]} rows @param {boolean} isOptions */
function tableOf(rows, isOptions) {
  const head = isOptions
    ? ['Option', 'Type', 'Unit', 'Default', 'Meaning']
    : ['Name', 'Type', 'Meaning'];
  const lines = rows.map(({ name, type, unit, preset, text }) => {
    const cells = isOptions ? [unit, plain(preset), plain(text)] : [plain(text)];
    return [`\`${name}\``, type, ...cells];
  });
  const all = [head, head.map(() => '---'), ...lines];
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/**
 * TSDoc as Markdown in a cell: links to types become code, links to guides lead there.
 *
 * @param {string} text
 */
function plain(text) {
  return text
    .replaceAll(/\{@link ([^}]+)\}/g, '`$1`')
    .replaceAll(/\bdocs\/([\w/-]+)\.md\b/g, '[$1](../$1.md)')
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll('<', '&lt;')))
    .join('')
    .replaceAll('|', '\\|');
}

/** @param {string} title */
function anchorOf(title) {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const isCheck = process.argv.includes('--check');
  mkdirSync(FOLDER, { recursive: true });
  for (const [path, text] of Object.entries(await referencePages())) {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    if (isCheck) {
      console.error(`${path} is not what the types say: npm run docs:options`);
      process.exitCode = 1;
    } else writeFileSync(path, text);
  }
}
