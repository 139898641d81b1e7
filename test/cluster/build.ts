// Builds a program from Go modules into the cache, or finds it there. Tells what it does while it does it; refuses,
// naming what is missing, where it cannot. A build is put in its place whole or not at all.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildKey, cacheFolder, exclusively, inputFolder, moduleFile } from './cache.ts';
import { debianPackage } from './debian.ts';
import { type Program, type ProgramName, programs } from './programs.ts';

/** Where a program is, or why there is none. */
export type Built =
  | { readonly kind: 'ready'; readonly folder: string }
  | { readonly kind: 'missing'; readonly why: string };

/** Where lines about the progress go. */
export type Tell = (line: string) => void;

const progressEveryMs = 15_000;

/** True when there is a go to build with. Whether it is new enough, it says itself. */
function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0;
}

function goEnvironment(program: Program): NodeJS.ProcessEnv {
  const go = join(cacheFolder(process.env), 'go');
  return {
    ...process.env,
    GOMODCACHE: join(go, 'modules'),
    GOCACHE: join(go, 'build'),
    GOTOOLCHAIN: 'local',
    GOFLAGS: '',
    GOWORK: 'off',
    CGO_ENABLED: program.cgo ? '1' : '0',
    // Memory for time: a tenth less of the latter.
    GOGC: '400',
  };
}

/** Arguments of `go build` for everything but packages and output. */
function buildFlags(program: Program): string[] {
  const variables = Object.entries(program.variables).map(([name, value]) => `-X ${name}=${value}`);
  return [
    ...['-trimpath', '-buildvcs=false', '-gcflags=all=-dwarf=false'],
    ...(program.tags.length > 0 ? ['-tags', program.tags.join(',')] : []),
    ...[
      '-ldflags',
      ['-s', '-w', ...variables, ...(program.cgo ? ['-extldflags=-static'] : [])].join(' '),
    ],
  ];
}

/**
 * Where C code finds the program's library: nothing to say where this machine has it, else unpacked from its Debian
 * package, which changes nothing of the machine.
 */
async function libraryEnvironment({ library }: Program, tell: Tell): Promise<NodeJS.ProcessEnv> {
  if (library === undefined) return {};
  if (spawnSync('pkg-config', ['--exists', library.name]).status === 0) return {};
  const folder = await debianPackage(library.debian, tell);
  const [description] = globSync(`usr/**/${library.name}.pc`, { cwd: folder });
  if (description === undefined) throw new Error(`${library.debian} has no ${library.name}.pc`);
  return { PKG_CONFIG_PATH: join(folder, dirname(description)), PKG_CONFIG_SYSROOT_DIR: folder };
}

/** Runs go at low priority; every line of its standard error goes to `line`. Returns what it printed. */
async function go(
  { program, env }: { readonly program: Program; readonly env: NodeJS.ProcessEnv },
  args: string[],
  line: (text: string) => void,
): Promise<string> {
  const child = spawn('nice', ['go', ...args], {
    cwd: inputFolder(program),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): boolean => child.kill();
  process.once('exit', stop);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  createInterface({ input: child.stderr }).on('line', line);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  process.off('exit', stop);
  if (status !== 0) throw new Error(`go ${args[0]} ended with ${status}`);
  return printed;
}

async function compile(program: Program, into: string, tell: Tell): Promise<void> {
  const said: string[] = [];
  const keep = (line: string): void => {
    said.push(line);
  };
  try {
    const env = { ...goEnvironment(program), ...(await libraryEnvironment(program, tell)) };
    const build = { program, env };
    tell(`${program.name}: fetching modules`);
    const modules = ['-mod=readonly', `-modfile=${moduleFile(program)}`];
    const listed = await go(build, ['list', ...modules, '-deps', ...program.packages], keep);
    const total = listed.trim().split('\n').length;
    let compiled = 0;
    const startedMs = performance.now();
    const progress = setInterval(() => {
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      tell(`${program.name}: ${compiled} of at most ${total} packages compiled, ${seconds} s`);
    }, progressEveryMs);
    const output = program.packages.length === 1 ? join(into, program.name) : `${into}/`;
    const flags = [...modules, ...buildFlags(program)];
    const args = ['build', '-v', ...flags, '-o', output, ...program.packages];
    await go(build, args, (line) => {
      keep(line);
      if (!line.startsWith('go: ')) compiled++;
    }).finally(() => clearInterval(progress));
  } catch (thrown) {
    throw new Error(`${program.name} was not built. Go said:\n${said.slice(-40).join('\n')}`, {
      cause: thrown,
    });
  }
}

async function buildInto(target: string, program: Program, tell: Tell): Promise<void> {
  // Under the lock nobody else has it: what is there was left by a run that was killed.
  const fresh = `${target}.building`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const startedMs = performance.now();
  try {
    tell(`${program.name} ${program.version}: building; the first time takes ${program.takes}`);
    await compile(program, fresh, tell);
    for (const name of program.alsoCalled) symlinkSync(program.name, join(fresh, name));
    renameSync(fresh, target);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    tell(`${program.name} ${program.version}: built in ${seconds} s`);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** The folder with the binaries of a program: from the cache, or built now. A failed build throws what go said. */
export async function built(name: ProgramName, tell: Tell): Promise<Built> {
  const program: Program = programs[name];
  const key = buildKey(program);
  const target = join(cacheFolder(process.env), 'bin', key);
  if (existsSync(target)) return { kind: 'ready', folder: target };
  if (!hasGo()) {
    const why = `${program.name} ${program.version} is built from Go modules, and there is no go on the PATH: install Go 1.26 or newer`;
    return { kind: 'missing', why };
  }
  const wait = (): void => tell(`${program.name}: another run is building it; waiting`);
  await exclusively(`wholegroup-${key}`, wait, async () => {
    if (!existsSync(target)) await buildInto(target, program, tell);
  });
  return { kind: 'ready', folder: target };
}
