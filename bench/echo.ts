// The floor of Allocate: a process that gives back the bytes it gets, by grpc-js on a unix socket: node bench/echo.ts
// SOCKET. No messages are encoded or decoded, nothing is looked up.
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { ownConnection, unixAddress } from '../src/kubelet/wire/socket.ts';

const same = (bytes: Buffer): Buffer => bytes;
const path = '/wholegroup.bench.Echo/Echo';
const service: ServiceDefinition = {
  Echo: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};

/** A client that calls Echo. */
export class EchoClient implements Disposable {
  readonly #client: Client;

  constructor(socketPath: string) {
    this.#client = new Client(unixAddress(socketPath), credentials.createInsecure(), ownConnection);
  }

  echo(bytes: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, same, same, bytes, (problem, answer) => {
        if (problem === null) resolve(answer);
        else reject(problem);
      });
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

if (import.meta.main) {
  const server = new Server();
  server.addService(service, {
    Echo: (call: { request: Buffer }, done: (problem: null, answer: Buffer) => void) =>
      done(null, call.request),
  });
  const [socketPath = ''] = process.argv.slice(2);
  server.bindAsync(unixAddress(socketPath), ServerCredentials.createInsecure(), (problem) => {
    if (problem !== null) throw problem;
  });
}
