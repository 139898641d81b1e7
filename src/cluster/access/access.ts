// Where the API server is and how one shows who one is. In a pod and on a desk the same interface; what is behind
// it may change at any time (tokens live an hour, certificate authorities are replaced), so it is asked every time.

/** What TLS needs. A new object whenever anything in it has changed, the same one otherwise. */
export interface TlsMaterial {
  /** PEM of the authorities that may sign the server; null: those that Node.js trusts. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** Name to be proven by the server's certificate, when it is not the host of the address. */
  readonly serverName: string | null;
  readonly skipVerify: boolean;
}

/** What to show with the next request. */
export interface Credentials {
  readonly tls: TlsMaterial;
  /** Value of the Authorization header; null: the client certificate says who asks, or nobody does. */
  readonly authorization: string | null;
}

/** A cluster that can be asked. */
export interface ClusterAccess {
  /** Address of the API server without a trailing slash; may have a path of its own. */
  readonly server: string;
  /** Namespace of this pod, or of the chosen context. */
  readonly namespace: string;
  /** Credentials for the next request. Throws CodedError WG_CREDENTIALS_FAILED when there are none. */
  credentials(): Promise<Credentials>;
  /** The server did not accept them, or was not who it should be: the next call looks again. */
  refused(): void;
}

/** TLS with nothing but what Node.js trusts. */
export const plainTls: TlsMaterial = {
  ca: null,
  cert: null,
  key: null,
  serverName: null,
  skipVerify: false,
};
