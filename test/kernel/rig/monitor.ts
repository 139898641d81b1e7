// QEMU's monitor: one command of a person's form, and what it answers.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

interface MonitorAnswer {
  readonly QMP?: object;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** Tells the monitor behind a socket one command; what it answered. Rejects when it refuses, or is not there. */
export async function tellMonitor(socketPath: string, command: string): Promise<string> {
  const socket = connect(socketPath);
  const say = (execute: string, args?: object): void => {
    socket.write(`${JSON.stringify({ execute, ...(args && { arguments: args }) })}\n`);
  };
  const answered = Promise.withResolvers<string>();
  socket.on('error', answered.reject);
  socket.on('close', () => answered.reject(new Error(`${command}: the monitor is gone`)));
  let answers = 0;
  createInterface({ input: socket }).on('line', (line) => {
    const message = JSON.parse(line) as MonitorAnswer;
    if (message.QMP !== undefined) say('qmp_capabilities');
    if (message.error !== undefined) answered.reject(new Error(message.error.desc));
    if (message.return === undefined) return;
    answers += 1;
    if (answers === 1) say('human-monitor-command', { 'command-line': command });
    else answered.resolve(typeof message.return === 'string' ? message.return.trim() : '');
  });
  try {
    return await answered.promise;
  } finally {
    socket.destroy();
  }
}
