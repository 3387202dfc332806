import { createSecretKey } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import type { WritesSeal } from '../../lib/config/resolved.js'
import type { WriteLedger } from '../../lib/context/frame.js'
import {
  ConfigError,
  InvalidScopeError,
  WritesTokenError,
  type WritesTokenFailure,
} from '../../lib/errors.js'
import { CarriedWrites } from '../../lib/scopes/carried-writes.js'
import type { Scopes } from '../../lib/scopes/scopes.js'
import { TopologyStore } from '../../lib/topology/store.js'
import { topologyWith } from '../support/topology.js'
import { scopesOver } from './support.js'

const windowMs = 5000
const seal: WritesSeal = { keys: [createSecretKey('s'.repeat(32), 'utf8')], issuer: 'shop' }
const never = (): never => {
  throw new Error('The work of a refused scope must not run')
}

/** A process with a clock of its own. */
class Host {
  readonly scopes: Scopes
  /** Milliseconds since it started. */
  #uptime: number

  constructor(
    readonly startedAt: number,
    options: { uptime?: number; shards?: readonly string[]; seal?: WritesSeal | undefined } = {},
  ) {
    this.#uptime = options.uptime ?? 0
    const carried = new CarriedWrites('seal' in options ? options.seal : seal, windowMs, {
      monotonic: () => this.#uptime,
      wall: () => Math.floor(this.startedAt + this.#uptime),
    })
    const shards = options.shards ?? ['master', 'brazil', 'canada']
    const topology = topologyWith(Object.fromEntries(shards.map((name) => [name, {}])))
    this.scopes = scopesOver({}, { store: new TopologyStore(topology), carried })
  }

  wait(ms: number): void {
    this.#uptime += ms
  }

  get #ledger(): WriteLedger {
    const ledger = this.scopes.current()?.writes
    if (ledger === undefined) throw new Error('No scope')
    return ledger
  }

  /** Notes a write in the scope around the caller, as a statement does. */
  write(shard: string): void {
    this.#ledger.set(shard, this.#uptime)
  }

  /** For how long reads of each shard follow a write, here and now. */
  remembered(): Record<string, number> {
    return Object.fromEntries(
      [...this.#ledger].map(([shard, at]) => [shard, windowMs - (this.#uptime - at)]),
    )
  }

  /** The token of a scope that has written to these shards. */
  tokenOf(...shards: readonly string[]): string | undefined {
    return this.scopes.scope(() => {
      for (const shard of shards) this.write(shard)
      return this.scopes.exportWrites({})
    })
  }

  /** What a scope that was given a token remembers. */
  rememberedWith(writes: string | undefined): Record<string, number> {
    return this.scopes.scope(() => this.remembered(), { writes })
  }
}

const noon = Date.parse('2026-05-01T12:00:00Z')

describe('writes that are carried to another process', () => {
  it('are remembered there for what is left of their window', () => {
    const [one, other] = [new Host(noon), new Host(noon - 70_000, { uptime: 70_000 })]
    const token = one.scopes.scope(() => {
      one.write('brazil')
      one.wait(2000)
      other.wait(2000)
      one.write('canada')
      return one.scopes.exportWrites({})
    })
    other.wait(500)
    expect(other.rememberedWith(token)).to.deep.equal({ brazil: 2500, canada: 4500 })
    other.wait(2500)
    expect(other.rememberedWith(token)).to.deep.equal({ canada: 2000 })
    other.wait(1999)
    expect(other.rememberedWith(token)).to.deep.equal({ canada: 1 })
    other.wait(1)
    expect(() => other.scopes.scope(never, { writes: token })).to.throw(WritesTokenError)
  })

  it('are nothing where nothing was written, or not within the window', () => {
    const host = new Host(noon)
    expect(host.tokenOf()).to.equal(undefined)
    host.scopes.scope(() => {
      host.write('brazil')
      host.wait(windowMs - 1)
      expect(host.scopes.exportWrites({})).to.be.a('string')
      host.wait(1)
      expect(host.scopes.exportWrites({})).to.equal(undefined)
    })
  })

  it('leave out what was written before the window', () => {
    const host = new Host(noon)
    const token = host.scopes.scope(() => {
      host.write('brazil')
      host.wait(windowMs)
      host.write('canada')
      return host.scopes.exportWrites({})
    })
    expect(new Host(noon + windowMs).rememberedWith(token)).to.have.all.keys('canada')
  })

  for (const none of [undefined, null, ''])
    it(`are none where ${none === '' ? 'an empty text' : String(none)} is given`, () => {
      for (const host of [new Host(noon), new Host(noon, { seal: undefined })])
        expect(host.scopes.scope(() => host.remembered(), { writes: none })).to.deep.equal({})
    })

  it('count for the window from now at most, when they come from a clock that is ahead', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), (aheadMs) => {
        const token = new Host(noon + aheadMs).tokenOf('brazil')
        const here = new Host(noon)
        if (aheadMs <= -windowMs)
          expect(() => here.rememberedWith(token))
            .to.throw(WritesTokenError)
            .with.property('failure', 'expired')
        else
          expect(here.rememberedWith(token)).to.deep.equal({
            brazil: windowMs + Math.min(0, aheadMs),
          })
      }),
    )
  })

  it('belong to the outermost scope and to all in it', () => {
    const token = new Host(noon).tokenOf('brazil')
    const host = new Host(noon)
    host.scopes.using('canada', () => {
      host.write('canada')
      host.wait(1000)
      host.scopes.scope(() => host.write('master'), { writes: token })
      expect(host.remembered()).to.deep.equal({ canada: 4000, brazil: 4000, master: 5000 })
    })
    expect(host.rememberedWith(undefined)).to.deep.equal({})
  })

  it('never make a scope forget a later write of its own', () => {
    const token = new Host(noon).tokenOf('brazil')
    const host = new Host(noon, { uptime: 3000 })
    host.scopes.scope(() => {
      host.write('brazil')
      host.scopes.scope(() => undefined, { writes: token })
      expect(host.remembered()).to.deep.equal({ brazil: 5000 })
    })
  })

  it('go on to the next process, and are not new there until something is written', () => {
    const [first, second, third] = [new Host(noon), new Host(noon), new Host(noon)]
    const token = first.tokenOf('brazil')
    const seconds = second.scopes.scope(
      () => {
        expect(second.scopes.exportWrites({ onlyNew: true })).to.equal(undefined)
        expect(third.rememberedWith(second.scopes.exportWrites({}))).to.have.all.keys('brazil')
        second.wait(10)
        second.write('canada')
        return second.scopes.exportWrites({ onlyNew: true })
      },
      { writes: token },
    )
    third.wait(10)
    expect(third.rememberedWith(seconds)).to.deep.equal({ brazil: 4990, canada: 5000 })
  })

  it('are new where the same shard is written again', () => {
    const host = new Host(noon)
    const token = new Host(noon).tokenOf('brazil')
    host.wait(5)
    host.scopes.scope(
      () => {
        host.write('brazil')
        expect(host.scopes.exportWrites({ onlyNew: true })).to.be.a('string')
      },
      { writes: token },
    )
  })

  it('of very many shards are those of all shards', () => {
    const names = Array.from({ length: 1000 }, (_, at) => `shard-${at}`)
    const token = new Host(noon, { shards: names }).tokenOf(...names.slice(0, 500))
    const here = new Host(noon, { shards: names })
    expect(here.rememberedWith(token)).to.deep.equal(
      Object.fromEntries(names.map((name) => [name, windowMs])),
    )
  })

  describe('are refused before the work runs', () => {
    const refused = (host: Host, writes: unknown, failure: WritesTokenFailure): void => {
      host.scopes.scope(() => {
        expect(() => host.scopes.scope(never, { writes: writes as string }))
          .to.throw(WritesTokenError)
          .with.property('failure', failure)
        expect(host.remembered()).to.deep.equal({})
      })
    }

    it('when a shard is not configured here, as a whole', () => {
      const token = new Host(noon).tokenOf('master', 'brazil')
      refused(new Host(noon, { shards: ['master', 'denmark'] }), token, 'foreign')
    })

    it('when they are of another issuer', () => {
      const other = new Host(noon, { seal: { ...seal, issuer: 'warehouse' } })
      refused(new Host(noon), other.tokenOf('brazil'), 'foreign')
    })

    it('when they are signed with another secret', () => {
      const keys = [createSecretKey('t'.repeat(32), 'utf8')] as const
      refused(
        new Host(noon),
        new Host(noon, { seal: { ...seal, keys } }).tokenOf('brazil'),
        'forged',
      )
    })

    for (const writes of ['x', 'x.y', 'x'.repeat(5000), 0, true, {}, ['x']] as const)
      it(`when they are ${JSON.stringify(writes).slice(0, 20)}`, () =>
        refused(new Host(noon), writes, 'forged'))
  })

  it('need a secret, whatever was written', () => {
    const { scopes } = new Host(noon, { seal: undefined })
    const message = /readYourWrites\.secret: is missing, and exportWrites\(\) needs it; set it to/
    expect(() => scopes.exportWrites({})).to.throw(ConfigError, message)
    expect(() => scopes.scope(() => scopes.exportWrites({}))).to.throw(ConfigError, message)
    expect(() => scopes.scope(never, { writes: 'x' })).to.throw(
      ConfigError,
      /is missing, and scope\(work, \{ writes \}\) needs it/,
    )
  })

  it('need a scope to be told in', () => {
    const { scopes } = new Host(noon)
    expect(() => scopes.exportWrites({})).to.throw(
      InvalidScopeError,
      /outside every scope, where no write is remembered; call it in the scope that wrote/,
    )
    scopesOver().using('brazil', () =>
      expect(() => scopes.exportWrites({})).to.throw(InvalidScopeError),
    )
  })
})
