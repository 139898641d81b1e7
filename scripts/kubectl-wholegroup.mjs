#!/usr/bin/env node
// `npx kubectl-wholegroup …` in a checkout: the sources unbuilt, with the project's own Node.js.
process.argv.splice(2, 0, 'src/cli/kubectl-main.ts');
await import('./with-node.mjs');
