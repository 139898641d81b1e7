// `npm run cluster:build [PROGRAM ...]`: builds what the tests with a real Kubernetes need, and prints the folders.
import { built } from './build.ts';
import { type ProgramName, programs } from './programs.ts';

const known = Object.keys(programs) as ProgramName[];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(known as string[]).includes(name));
if (unknown.length > 0) {
  console.error(`"${unknown[0]}" cannot be built; there are ${known.join(', ')}`);
  process.exit(64);
}
for (const name of known.filter((each) => wanted.length === 0 || wanted.includes(each))) {
  const result = await built(name, (line) => console.error(line));
  switch (result.kind) {
    case 'ready':
      console.log(result.folder);
      break;
    case 'missing':
      console.error(`skipped: ${result.why}`);
      process.exitCode = 69;
  }
}
