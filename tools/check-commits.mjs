// Usage: node tools/check-commits.mjs [range]
//
// Checks the subjects of the commits of a range, by default of those since the rule was made: Conventional Commits, in the
// imperative, at most 72 characters. In a shallow clone without that commit it checks the commits that are there.
import { execFileSync } from 'node:child_process';

const SINCE = '9eba3eabbd6f2e61bcb20e1be2788cff8fef44b4';
const MOST_CHARACTERS = 72;
const SUBJECT =
  /^(?:build|chore|ci|docs|feat|fix|perf|refactor|revert|style|test)(?:\([a-z\d-]+\))?!?: (?<text>\S.*)$/;
/** Verbs that end like another form and are none. */
const IMPERATIVES = new Set(
  'access address bring bypass compress cross discuss embed exceed express feed focus miss need pass ping press process proceed seed shed speed string suppress toss'.split(
    ' ',
  ),
);
const NOT_A_VERB =
  /^(?:an?|the|this|that|these|those|it|its|what|when|where|which|who|whether|how|why|all|each|every|no|not|some|more|less|new)$/;

const subjects = readSubjects();
/** @type {string[]} */
const faults = [];
for (const subject of subjects) {
  for (const fault of judgeSubject(subject)) faults.push(`${fault}: ${subject}`);
}
for (const fault of faults) console.error(fault);
console.log(`commits: ${subjects.length} subjects checked, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;

/**
 * @param {string} subject
 * @returns {string[]} what is wrong with it
 */
function judgeSubject(subject) {
  const text = SUBJECT.exec(subject)?.groups?.['text'];
  if (text === undefined) return ['does not read `type(scope): text`, see CONTRIBUTING.md'];
  const [first = ''] = text.split(/[\s,:]/);
  return [
    ...(subject.length > MOST_CHARACTERS
      ? [`has ${subject.length} characters, at most ${MOST_CHARACTERS} are allowed`]
      : []),
    ...(/^[A-Z][a-z]/.test(text) ? ['begins with a capital after the colon'] : []),
    ...(text.endsWith('.') ? ['ends with a full stop'] : []),
    ...(isImperative(first) ? [] : [`is not in the imperative: "${first}"; write "add", "fix"`]),
  ];
}

/** @param {string} word */
function isImperative(word) {
  if (IMPERATIVES.has(word)) return true;
  return !NOT_A_VERB.test(word) && !/(?:ed|ing|[^s]s)$/.test(word);
}

function readSubjects() {
  const [range] = process.argv.slice(2);
  const list = (/** @type {string} */ commits) =>
    git('log', '--no-merges', '--format=%s', commits).split('\n').filter(Boolean);
  if (range !== undefined) return list(range);
  return list(hasCommit(SINCE) ? `${SINCE}..HEAD` : 'HEAD');
}

/** @param {string} commit */
function hasCommit(commit) {
  try {
    git('cat-file', '-e', `${commit}^{commit}`);
    return true;
  } catch {
    return false;
  }
}

/** @param {string[]} args */
function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
