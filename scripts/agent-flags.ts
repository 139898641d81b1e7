// How Node is started for the agent wherever it is shipped: the bundle's first line, the image, the benches.

/**
 * A small young generation: the agent makes much short-lived text and keeps little, so a large one only grows the
 * process (11 MB), and the smallest of all has it collected all the time while many groups move (a third of the processor).
 * No worker threads of V8 (4 MB): what they would collect or compile beside the loop is little.
 */
export const agentNodeFlags: readonly string[] = ['--max-semi-space-size=4', '--v8-pool-size=0'];
