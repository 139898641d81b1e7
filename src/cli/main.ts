#!/usr/bin/env node
// The command line: the only place that reads the environment, constructs the edges and exits.
import { commandLine } from './command-line.ts';
import { runProcess } from './streams.ts';

await runProcess(commandLine);
