#!/usr/bin/env node
// kubectl-wholegroup: the plugin that kubectl finds in PATH as `kubectl wholegroup`.
import { kubectlCommandLine } from './kubectl/command-line.ts';
import { runProcess } from './streams.ts';

await runProcess(kubectlCommandLine);
