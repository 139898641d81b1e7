// A process that serves a made machine: node bench/sim.ts FUNCTIONS SOCKET.
import { silentLog } from '../src/base/log.ts';
import { KernelModel } from '../src/kernel/model/kernel-model.ts';
import { serveKernel } from '../src/kernel/model/serve.ts';
import { largeMachine } from '../src/kernel/model/topology-large.ts';
import { realClock } from '../src/observe/real-clock.ts';

const [functions = '', socketPath = ''] = process.argv.slice(2);
const spec = largeMachine(`large-${functions}`, Number(functions));
const model = new KernelModel({ spec, clock: realClock() });
await serveKernel({ model, socketPath, log: silentLog });
