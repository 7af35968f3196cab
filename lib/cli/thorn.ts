#!/usr/bin/env node
import { main } from './main.js';
import { processTerminal } from './commands/terminal.js';

void main(process.argv.slice(2), processTerminal()).then((code) => {
  process.exitCode = code;
});
