// `npm run play -- [--profile 6.1|6.12|7.2|legacy] [--topology FILE] [--machine NAME] SCRIPT`: plays a
// kernel script on the model and prints what the recording program prints on a real kernel.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { CodedError, errorCatalogue, errorText } from '../../src/base/errors.ts';
import type { KernelProfile, MachineSpec } from '../../src/kernel/model/spec.ts';
import { readTopologyFile } from '../../src/kernel/model/topology.ts';
import { transcriptMachine, variants, type Variant } from './machine.ts';
import { Player } from './player.ts';
import { parseScript } from './script.ts';

const profiles: readonly string[] = ['legacy', '6.1', '6.12', '7.2'];

/** Recorded scripts that were not played on the usual variant of the machine, by the start of their name. */
const recordedOn: Readonly<Record<string, Variant>> = { s5: 'shpc' };

function variantOf(script: string, asked: string | undefined): Variant {
  if (asked !== undefined) {
    const known = variants.find((variant) => variant === asked);
    if (known !== undefined) return known;
    throw new CodedError(
      'WG_FLAG_INVALID',
      `--machine is "${asked}"; allowed: ${variants.join(', ')}`,
    );
  }
  const name = /^(s\d+)(?!\d)/.exec(basename(script))?.[1] ?? '';
  return recordedOn[name] ?? 'acpi-hotplug';
}

async function scriptText(path: string): Promise<string> {
  try {
    return await readFile(path === '-' ? '/dev/stdin' : path, 'utf8');
  } catch (thrown) {
    throw new CodedError(
      'WG_SCRIPT_INVALID',
      `script ${path} cannot be read: ${errorText(thrown)}`,
    );
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      profile: { type: 'string', default: '6.12' },
      topology: { type: 'string' },
      machine: { type: 'string' },
    },
    allowPositionals: true,
  });
  const [script, ...more] = positionals;
  if (script === undefined || more.length > 0) {
    throw new CodedError(
      'WG_FLAG_INVALID',
      'one script is needed: npm run play -- [--profile P] SCRIPT',
    );
  }
  if (!profiles.includes(values.profile)) {
    throw new CodedError(
      'WG_FLAG_INVALID',
      `--profile is "${values.profile}"; allowed: ${profiles.join(', ')}`,
    );
  }
  const profile = values.profile as KernelProfile;
  const commands = parseScript(await scriptText(script));
  const spec: MachineSpec =
    values.topology === undefined
      ? transcriptMachine(profile, variantOf(script, values.machine))
      : { ...(await readTopologyFile(values.topology)), profile };
  const player = new Player(spec, (line) => process.stdout.write(`${line}\n`));
  return (await player.play(commands)) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  if (!(thrown instanceof CodedError)) throw thrown;
  process.stderr.write(
    `${thrown.code}: ${thrown.message}\n${errorCatalogue[thrown.code].remedy}\n`,
  );
  process.exitCode = errorCatalogue[thrown.code].exitStatus;
}
