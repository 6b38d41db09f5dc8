/** How a program outside a browser speaks to the server. */
export type NodeTls = {
  /** The certificate authority to trust instead of the system's: PEM. `$WARDLINE_DATA/tls/authority.crt` of a local server. */
  readonly ca?: string | undefined
  /** The program's own certificate and its private key, PEM: where the server lets in nobody without one. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined
  /** The `Origin` to state. By default that of `url`, which a server always allows. */
  readonly origin?: string | undefined
}
