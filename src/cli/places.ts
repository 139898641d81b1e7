// Where the files of this program are, unbuilt and bundled. The bundle keeps `protos/` and the lane's entry
// beside itself; unbuilt they are in the repository.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const beside = import.meta.dirname;
const bundled = existsSync(join(beside, 'lane-child.js'));

/** Folder with our .proto files. */
export const protosFolder: string = bundled ? join(beside, 'protos') : join(beside, '../../protos');

/** The file that a lane of kernel/linux runs. */
export const laneEntry: string = bundled
  ? join(beside, 'lane-child.js')
  : join(beside, '../kernel/linux/lane-child.ts');

/** Where policies are looked for without an API server and without --policies. */
export const defaultPoliciesPath = '/etc/wholegroup/policies';
