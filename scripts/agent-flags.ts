// How Node is started for the agent wherever it is shipped: the bundle's first line, the image, the benches.

/**
 * A small young generation: the agent makes much short-lived text and keeps little, so a large one only grows the
 * process (11 MB), and the smallest of all has it collected all the time while many groups move (a third of the processor).
 * One worker thread of V8: what it would collect or compile beside the loop is little. (0 would mean one for each processor
 * of the node but one: node_platform.cc, GetActualThreadPoolSize.) No TurboFan: the agent waits for the kernel, not for its
 * own arithmetic, and the code of that compiler alone is 5 MB of resident memory; Maglev compiles what is hot.
 * The collector is at hand for what the start and the rounds leave behind (src/cli/idle-garbage.ts).
 */
export const agentNodeFlags: readonly string[] = [
  '--max-semi-space-size=4',
  '--v8-pool-size=1',
  '--no-turbofan',
  '--expose-gc',
];
