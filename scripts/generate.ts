// Writes the generated files of the repository: `npm run gen`. A test regenerates and compares them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lintConfiguration } from './walls.ts';

const root = join(import.meta.dirname, '..');
writeFileSync(join(root, '.oxlintrc.json'), `${JSON.stringify(lintConfiguration(), null, 2)}\n`);
