// The program `guest` of a playground: `guest SOCKET [WORD ...]` runs the words as a command in the guest; without any,
// every line that is typed.
import { createInterface } from 'node:readline/promises';
import { askGuest } from './guest-socket.ts';

const [socket = '', ...words] = process.argv.slice(2);
if (socket === '') {
  console.error('usage: guest SOCKET [WORD ...]');
  process.exit(64);
}

async function once(script: string): Promise<number> {
  const { status, output } = await askGuest(socket, script);
  process.stdout.write(output);
  return status;
}

if (words.length > 0) process.exitCode = await once(words.join(' '));
else {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  lines.setPrompt('guest# ');
  lines.prompt();
  for await (const line of lines) {
    if (line === 'exit') break;
    if (line.trim() !== '') await once(line);
    lines.prompt();
  }
  lines.close();
}
