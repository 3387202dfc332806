/** What the configuration says about routing, beside the topology. */
export interface RoutePolicy {
  /** Whether anything is routed at all; if not, all goes to the default shard's primary. */
  readonly isEnabled: boolean
  /** How long reads follow a write to the primary, in milliseconds; 0 is off. */
  readonly readYourWritesMs: number
  /** The shard the process works on outside every scope, from the environment. */
  readonly ambientShard: string | undefined
}
