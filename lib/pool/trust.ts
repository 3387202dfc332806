import { ConnectError } from '../errors.js'
import type { Endpoint } from '../topology/snapshot.js'
import { connectErrorOf } from './connect-failure.js'
import { type FailureKind, failureOf } from './failure.js'
import type { PoolJournal } from './journal.js'
import type { Lease, PhysicalConnection } from './lease.js'
import { type Check, type Verdict, type VerifyPolicy, checkOf, verify } from './verify.js'

/** What a pool's trust in its connections goes by. Times in milliseconds. */
export interface TrustSettings {
  readonly verify: VerifyPolicy
  /** How old a connection may become; 0 is without limit. */
  readonly maxLifetimeMs: number
  readonly warn: (message: string) => void
  readonly now: () => number
  readonly random: () => number
}

/** Why a connection is not lent. */
export interface Fault {
  readonly error: Error
  /** Whether it says nothing about the server: another connection will do. */
  readonly isOwn: boolean
  /** Whether nothing was heard in time, so that connections of the same age are better not waited for. */
  readonly isMute: boolean
}

/**
 * Which connections of a pool have to be verified before they are lent. An error that casts doubt on
 * the server begins a new epoch: whatever is older is verified once, at its next checkout, and new
 * connections too until one was found good.
 */
export class Trust {
  readonly #endpoint: Endpoint
  readonly #settings: TrustSettings
  readonly #journal: PoolJournal
  #epoch = 0
  #isSuspect = false
  /** Whether the operator knows that the server is refused. */
  #hasWarned = false

  constructor(endpoint: Endpoint, settings: TrustSettings, journal: PoolJournal) {
    this.#endpoint = endpoint
    this.#settings = settings
    this.#journal = journal
  }

  /**
   * What has to be looked at before the connection is lent.
   *
   * @param isRetry - whether it is for a statement whose connection was lost: it has one more try only,
   *   and other connections, of siblings too, may be lost without anybody's knowledge
   */
  check(connection: PhysicalConnection, isRetry: boolean): Check | 'expired' {
    const { verify: policy, maxLifetimeMs, now, random } = this.#settings
    if (maxLifetimeMs > 0) {
      if (connection.expiresAt <= now()) return 'expired'
      // Up to a tenth less, so that the connections of a pool are not replaced together.
      if (connection.epoch === undefined)
        connection.expiresAt = now() + maxLifetimeMs * (1 - random() / 10)
    }
    const check = checkOf(policy, connection, this.#epoch, this.#isSuspect, now)
    const isOld = connection.epoch !== undefined && !policy.when.has('never')
    return check === 'none' && isRetry && isOld ? 'ping' : check
  }

  isExpired({ expiresAt }: PhysicalConnection, now: number): boolean {
    return this.#settings.maxLifetimeMs > 0 && expiresAt <= now
  }

  /** Whether doubt was cast on it since it was last found good. */
  isDoubted({ epoch }: PhysicalConnection): boolean {
    return epoch !== undefined && epoch !== this.#epoch
  }

  /** Notes that the connection is as good as it can be known to be. */
  accept(connection: PhysicalConnection): void {
    connection.epoch = this.#epoch
  }

  /** Looks at the connection; what speaks against lending it, if anything does. */
  async fault(
    connection: PhysicalConnection,
    check: Check | 'expired',
  ): Promise<Fault | undefined> {
    if (check === 'expired')
      return { error: new Error('maxLifetimeMs is over'), isOwn: true, isMute: false }
    if (check === 'none') return undefined
    const epoch = this.#epoch
    const verdict = await this.#verdict(connection, check)
    if (verdict.is === 'good') {
      if (check === 'full' && epoch === this.#epoch) this.#isSuspect = false
      this.#hasWarned = false
      return undefined
    }
    this.doubt()
    const isOwn = connection.epoch !== undefined
    if (verdict.is === 'wrong')
      return { error: this.#refusal(connection, verdict), isOwn, isMute: false }
    const isMute = isOwn && failureOf(verdict.error) === 'timeout'
    return { error: connectErrorOf(this.#endpoint, verdict.error), isOwn, isMute }
  }

  /** Whether a connection is in order, as far as the verifiers can tell. */
  async isGood(connection: PhysicalConnection): Promise<boolean> {
    return (await this.#verdict(connection, 'full')).is === 'good'
  }

  async #verdict(connection: PhysicalConnection, check: Exclude<Check, 'none'>): Promise<Verdict> {
    const verdict = await verify(connection, this.#endpoint, check, this.#settings.verify)
    this.#journal.verified(verdict.is === 'good')
    return verdict
  }

  /**
   * Looks at a connection that was made to try the server.
   *
   * @throws ConnectError or the driver's error if the server cannot be used
   */
  async probe(connection: PhysicalConnection): Promise<void> {
    const verdict = await this.#verdict(connection, 'full')
    if (verdict.is === 'silent') throw verdict.error
    // A primary in the wrong role is for its callers to wait for; they verify.
    if (verdict.is === 'wrong' && this.#endpoint.role === 'replica')
      throw new ConnectError(
        this.#endpoint.id,
        'wrong-role',
        `verifier ${verdict.verifier} refused the server.`,
      )
  }

  #refusal(
    { id: number }: PhysicalConnection,
    { verifier, error }: Extract<Verdict, { is: 'wrong' }>,
  ): Error {
    const { id } = this.#endpoint
    const because = error instanceof Error ? ` (${error.message})` : ''
    const which = number === undefined ? '' : `, connection ${number}`
    if (!this.#hasWarned)
      this.#settings.warn(`${id}${which}: verifier ${verifier} refused the server${because}`)
    this.#hasWarned = true
    return new ConnectError(
      id,
      'wrong-role',
      `verifier ${verifier} refused the server${because}: it has another role than it is configured for, or lags.`,
    )
  }

  /** Casts doubt on all connections there are, and on new ones until one has been verified. */
  doubt(): void {
    this.#epoch += 1
    this.#isSuspect = true
  }

  /**
   * Notes how a statement failed.
   *
   * @returns whether the server may be gone
   */
  statementFailed(lease: Lease, kind: FailureKind): boolean {
    const isGone = kind === 'lost' || kind === 'refused' || kind === 'shutdown'
    const isDemoted = kind === 'read-only' && this.#endpoint.role === 'primary'
    if (!isGone && !isDemoted && kind !== 'timeout' && kind !== 'stale') return false
    lease.isSpoilt = true
    // Once for all connections of one age. After a timeout the server may be slow only, or gone: the
    // next checkout finds out.
    const isNews = lease.physical.epoch === this.#epoch
    if (kind !== 'stale' && isNews) this.doubt()
    return isGone && isNews
  }
}
