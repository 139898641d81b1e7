// A cluster as scenarios use it, whichever way it was made: of plain processes (cluster.ts), or by kind.
import type { ApiAnswer, ApiCall } from '../../api/support/api-call.ts';
import type { KubectlOptions } from '../../api/support/api-server.ts';
import type { Run } from '../../support/run.ts';
import type { NodeProgram } from './node.ts';

/** Its API server. */
export interface AnyApiServer {
  /** Folder for what a test writes. */
  readonly folder: string;
  /** File of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** Path of a kubectl of the same version. */
  readonly kubectlPath: string;
  readonly tokens: { readonly admin: string };
  call(call: ApiCall): Promise<ApiAnswer>;
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<Run>;
  /** It ends; its data stay. */
  kill(): Promise<void>;
  /** It runs again, and answers. */
  restart(): Promise<void>;
}

/** One of its nodes. */
export interface AnyNode {
  readonly name: string;
  /** A path of the node as this process reaches it. Unix sockets too. */
  path(inside: string): string;
  read(inside: string): string;
  write(inside: string, text: string): void;
  erase(inside: string): void;
  /** Runs a command on the node, as one who has logged in there. */
  run(command: readonly string[], input?: string | Buffer): Promise<Run>;
  start(program: NodeProgram): void;
  /** Ends a program at once, and returns when it has ended; its pods and containers go on. */
  stop(program: NodeProgram): Promise<void>;
  /** Returns when containerd answers. */
  containerdReady(): Promise<void>;
  /** What a program has said so far. */
  logOf(program: NodeProgram): string;
}

/** All of it. */
export interface AnyCluster extends AsyncDisposable {
  readonly api: AnyApiServer;
  /** The first one is that which scenarios use unless they say another. */
  readonly nodes: readonly AnyNode[];
  node(name: string): AnyNode;
}

/** The node of that name. */
export function nodeNamed<Node extends AnyNode>(nodes: readonly Node[], name: string): Node {
  const node = nodes.find((each) => each.name === name);
  if (node === undefined) throw new Error(`there is no node ${name}`);
  return node;
}
