import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { ConfigError, type OctopusOptions, loadConfig } from '../../lib/index.js'
import { failureOf } from '../typeorm/compat/support.js'
import type { Stage } from './stage.js'

/** Names that are used twice. */
export const configuration = (stage: () => Stage): void => {
  const refused = async (work: () => unknown, message: string): Promise<void> => {
    const error = await failureOf(work)
    expect(error).to.be.instanceOf(ConfigError)
    expect(error).to.have.property('message').that.includes(message)
  }

  it('[T9] two replicas of one name in a shard are an error', async () => {
    const [fast, slow] = stage().replicas
    const replicas = [fast!, { ...slow!, name: fast!.name! }]
    await refused(() => stage().wrap({ replicas }), 'is the name of another replica of this shard')
  })

  for (const [order, keys] of [
    ['the shard first', ['shards', 'groups']],
    ['the group first', ['groups', 'shards']],
  ] as const)
    it(`[T10] a shard and a group of one name are an error, ${order}`, async () => {
      const parts: OctopusOptions = {
        shards: { canada: stage().shard('canada') },
        groups: { canada: ['master'] },
      }
      const options = Object.fromEntries(keys.map((key) => [key, parts[key]]))
      expect(Object.keys(options)).to.deep.equal(keys)
      await refused(() => stage().wrap(options), 'is the name of a shard too')
    })

  it('[T10] a shard that is the default one too is an error', () =>
    refused(
      () => stage().wrap({ shards: { master: stage().shard('canada') }, groups: {} }),
      'is the default shard',
    ))

  it('[T10] a name that stands in a file twice is an error', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'octopus-'))
    try {
      const file = path.join(folder, 'ormconfig.yml')
      writeFileSync(file, 'shards:\n  canada: { host: a }\n  canada: { host: b }\n')
      await refused(
        () => loadConfig(file),
        'line 3, column 3: this key stands in the same mapping twice',
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}
