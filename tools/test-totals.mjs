// Usage: node tools/test-totals.mjs REPORT
//        node tools/test-totals.mjs --times REPORT…
//
// Prints "PASSED FAILED" of a JSON report by vitest. A file that could not be run, and a test that was skipped, count as
// failed: a green run has run everything. With --times prints the ten slowest files and the time of each project: seconds
// from the first test of a file to the end of its last. Files run beside each other, so these sum up to more than the run.
// The tests that did not pass come last, by name and with the first line of their error.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const isTimes = process.argv[2] === '--times';
const files = process.argv
  .slice(isTimes ? 3 : 2)
  .flatMap((report) => JSON.parse(readFileSync(report, 'utf8')).testResults);

if (isTimes) {
  printTimes();
  printFailures();
} else {
  printTotals();
}

function printTotals() {
  let passed = 0;
  let failed = 0;
  for (const { assertionResults } of files) {
    if (assertionResults.length === 0) failed += 1;
    for (const { status } of assertionResults) {
      if (status === 'passed') passed += 1;
      else failed += 1;
    }
  }
  console.log(`${passed} ${failed}`);
}

function printTimes() {
  const timed = files.flatMap(({ name, startTime, endTime, assertionResults: tests }) => {
    const projects = new Set(tests.flatMap((/** @type {Test} */ { meta }) => meta.project ?? []));
    const [project = 'no project'] = projects;
    const time = endTime - startTime;
    return { name: relative(process.cwd(), name), project, time, tests: tests.length };
  });
  timed.sort((one, other) => other.time - one.time);
  if (timed.length === 0) return;
  console.log('\nThe slowest files:');
  for (const { name, project, time } of timed.slice(0, 10)) {
    console.log(`${seconds(time)}  ${name} (${project})`);
  }
  console.log('By project:');
  for (const project of new Set(timed.map((one) => one.project))) {
    const all = timed.filter((one) => one.project === project);
    const time = all.reduce((sum, one) => sum + one.time, 0);
    const tests = all.reduce((sum, one) => sum + one.tests, 0);
    console.log(`${seconds(time)}  ${project}, ${tests} tests`);
  }
}

function printFailures() {
  for (const { name, assertionResults: tests, message } of files) {
    const file = relative(process.cwd(), name);
    if (tests.length === 0) console.log(`did not run: ${file}: ${firstLine(message)}`);
    for (const { status, fullName, failureMessages, meta } of tests) {
      if (status === 'passed') continue;
      console.log(
        `${status}: ${file} (${meta.project}): ${fullName}: ${firstLine(failureMessages?.[0])}`,
      );
    }
  }
}

/** @param {string} [text] */
function firstLine(text = '') {
  return (text.split('\n', 1)[0] ?? '').slice(0, 200);
}

/** @param {number} milliseconds */
function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1).padStart(7)} s`;
}

/** @typedef {{ meta: { project?: string } }} Test */
