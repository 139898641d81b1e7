// A device plugin as the kubelet sees it, over any transport, and the texts that Go's gRPC makes of its
// failures: pod messages carry them word for word.
import type { ContainerGrant } from '../kubelet/door.ts';
import type { CallOutcome } from '../kubelet/wire/call.ts';

/** One device of a list. */
export interface SeenDevice {
  readonly id: string;
  readonly healthy: boolean;
  /** Empty: no topology was sent. */
  readonly numaNodes: readonly number[];
}

/** Answer to GetDevicePluginOptions. */
export interface SeenOptions {
  readonly preStartRequired: boolean;
  readonly preferredAllocationAvailable: boolean;
}

/** A question for GetPreferredAllocation, for one container. */
export interface PreferenceQuestion {
  readonly available: readonly string[];
  readonly mustInclude: readonly string[];
  readonly size: number;
}

/** A connection to one device plugin. Calls never reject: a failure is an outcome with a gRPC code. */
export interface PluginEndpoint {
  getOptions(): Promise<CallOutcome<SeenOptions>>;
  /** Opens the stream; `onEnd` is called once, whoever ends it. */
  listAndWatch(
    onList: (devices: readonly SeenDevice[]) => void,
    onEnd: (why: string) => void,
  ): void;
  getPreferredAllocation(question: PreferenceQuestion): Promise<CallOutcome<readonly string[]>>;
  /** No deadline. The value has as many entries as the plugin sent container responses. */
  allocate(ids: readonly string[]): Promise<CallOutcome<readonly ContainerGrant[]>>;
  /** Gives up after `deadlineMs`. */
  preStart(ids: readonly string[], deadlineMs: number): Promise<CallOutcome<null>>;
  /** Closes the connection: the stream ends and calls that run fail. Idempotent. */
  close(): void;
}

// google.golang.org/grpc/codes prints these words.
const codeWords: readonly string[] = [
  ...['OK', 'Canceled', 'Unknown', 'InvalidArgument', 'DeadlineExceeded', 'NotFound'],
  ...['AlreadyExists', 'PermissionDenied', 'ResourceExhausted', 'FailedPrecondition', 'Aborted'],
  ...['OutOfRange', 'Unimplemented', 'Internal', 'Unavailable', 'DataLoss', 'Unauthenticated'],
];

/** `rpc error: code = NotFound desc = …`, as Go's status errors print. */
export function rpcErrorText(failed: { readonly code: number; readonly details: string }): string {
  const word = codeWords[failed.code] ?? `Code(${failed.code})`;
  return `rpc error: code = ${word} desc = ${failed.details}`;
}
