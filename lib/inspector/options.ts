/** Settings of the inspector. */
export interface InspectorOptions {
  /** The port that it listens on. Default: 0, any that is free. */
  readonly port?: number | undefined
  /** The address that it listens on; one that is not loopback needs a `token`. Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** Names by which browsers may ask for it, beside `host` and those of loopback. */
  readonly names?: readonly string[] | undefined
  /**
   * What a browser has to show, once, as `?token=…`, and other programs in each request, as
   * `authorization: Bearer …`. At least 16 characters.
   */
  readonly token?: string | undefined
  /** Show the SQL, with its placeholders. Literals in it are not removed. Default: `false`. */
  readonly sql?: boolean | undefined
  /** Show the parameter values. Default: `false`. */
  readonly parameters?: boolean | undefined
  /**
   * How many routes to keep for pages that are opened later. Default: 0, with which nothing listens
   * while no page is open.
   */
  readonly keep?: number | undefined
}

/** An inspector that runs. */
export interface Inspector {
  /** Where its page is: `http://127.0.0.1:40123/`. Without the token. */
  readonly url: string
  /** Ends it, with every page's connection. Harmless twice. */
  close(): Promise<void>
}
