// What every command gets, and the flags that several of them share.
import { type Command, Option } from 'commander';
import type { Log } from '../base/log.ts';
import { createLog, type LogLevel } from '../observe/log.ts';
import { outputForms, type Streams } from './output.ts';

/** Streams, environment, and where a command leaves its exit status. */
export interface CommandContext {
  readonly streams: Streams;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly done: (status: number) => void;
}

/** Adds the flags that choose the kernel. */
export function addKernelFlags(command: Command): Command {
  return command
    .option(
      '--kernel <which>',
      'linux (this machine), unix:///PATH (a model served by "wholegroup sim"), the name of a bundled machine, or a topology file',
      'linux',
    )
    .option('--sysfs <dir>', 'folder that stands for /sys (with --kernel linux)')
    .option('--proc <dir>', 'folder that stands for /proc (with --kernel linux)')
    .option('--dev <dir>', 'folder that stands for /dev (with --kernel linux)')
    .option('--run <dir>', 'folder that stands for /run (with --kernel linux)');
}

/** Adds `-o`. */
export function addOutputFlag(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <form>', 'form of the output')
      .choices([...outputForms])
      .default('table'),
  );
}

/** A logger on stderr at the level of the command line: readable on a terminal, JSON otherwise. */
export function logOf(command: Command, interactive: boolean): Log {
  const { logLevel } = command.optsWithGlobals<{ logLevel: LogLevel }>();
  return createLog({
    level: logLevel,
    destination: 2,
    ...(interactive ? { pretty: { colour: true } } : {}),
  });
}
