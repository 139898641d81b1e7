// `npm run try`: a cluster to try the API side with, until Ctrl-C; docs/try-the-api-side.md goes on from here.
import { built } from '../cluster/build.ts';
import { startTryCluster } from './cluster.ts';

const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => resolve());
});
const say = (line: string): void => console.error(line);
const kubernetes = await built('kubernetes', say);
if (kubernetes.kind === 'missing') {
  say(`nothing can be tried here: ${kubernetes.why}`);
  process.exit(69);
}
await using cluster = await startTryCluster(say);
const { environment } = cluster;
const own = environment['PATH']?.split(':')[0];
say(
  '\nGive another terminal, in this folder, these lines; docs/try-the-api-side.md goes on from there.\n',
);
for (const [name, value] of Object.entries({ ...environment, PATH: `${own}:$PATH` }))
  console.log(`export ${name}=${value}`);
say('\nrunning until Ctrl-C');
await stopped;
say('stopping ...');
