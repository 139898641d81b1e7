// Runs a file of this project with the project's own Node.js (from npm), after making sure that what
// package-lock.json names is installed. Plain JavaScript for Node 20 and newer: it runs before
// anything is set up, and so imports nothing but Node itself.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Why an install is needed, or null when node_modules is as new as the lockfile. */
function installReason() {
  const marker = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(marker)) return 'node_modules is missing';
  if (statSync(marker).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs) {
    return 'node_modules is older than package-lock.json';
  }
  return null;
}

/** Ends this process: what is needed to go on is not there (EX_UNAVAILABLE). */
function refuse(why) {
  console.error(`wholegroup: ${why}`);
  return process.exit(69);
}

function install(reason) {
  console.error(`wholegroup: ${reason}: running npm ci (about 20 seconds) ...`);
  const npm = process.env.npm_execpath
    ? [process.execPath, [process.env.npm_execpath]]
    : ['npm', []];
  const result = spawnSync(
    npm[0],
    [...npm[1], 'ci', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
    },
  );
  if (result.status !== 0) {
    refuse(`npm ci failed (exit ${result.status ?? result.error}); nothing was started`);
  }
}

/** The project's Node.js: npm's package for this platform, or this very Node when it is new enough. */
function nodeBinary() {
  const own = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= 26) return process.execPath;
  return refuse(
    `npm has no Node.js 26 for ${process.platform}-${process.arch}, and this is ` +
      `Node.js ${process.versions.node}: install Node.js 26 or newer and try again`,
  );
}

const reason = installReason();
if (reason !== null) install(reason);

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node scripts/with-node.mjs FILE [ARGUMENT ...]');
  process.exit(64);
}
const child = spawn(nodeBinary(), [join(root, file), ...args], { stdio: 'inherit' });
// The terminal sends its signals to the whole group; a signal sent to this process alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal));
}
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)));
