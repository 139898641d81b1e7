// The bundle as the program to be measured.
import { join } from 'node:path';
import { agentNodeFlags } from '../scripts/agent-flags.ts';
import { root } from './children.ts';

/** What starts the bundle: arguments of Node.js. */
export function bundled(): readonly string[] {
  return [...agentNodeFlags, join(root, 'dist', 'main.js')];
}
