// Usage: node tools/test-totals.mjs REPORT
//
// Prints "PASSED FAILED" of a JSON report by vitest. A file that could not be run, and a test that was skipped, count as
// failed: a green run has run everything.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
let passed = 0;
let failed = 0;

for (const file of report.testResults) {
  if (file.assertionResults.length === 0) failed += 1;
  for (const { status } of file.assertionResults) {
    if (status === 'passed') passed += 1;
    else failed += 1;
  }
}
console.log(`${passed} ${failed}`);
