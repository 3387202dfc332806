import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { roleRules, shardRules } from '../../lib/trace/event.js'
import { nodeFindingKinds } from '../../lib/typeorm/node-check/finding.js'
import { type Cluster, type ClusterNode, MariadbCluster } from '../support/cluster/index.js'
import { compiled, runProgram, withoutTimes } from './run-example.js'
import { linksOf, prelude, type Snippet, snippetsOf, tableColumn } from './snippets.js'

const documents = [
  'README.md',
  'docs/cli.md',
  'docs/routing.md',
  'docs/connections.md',
  'docs/architecture.md',
  'docs/from-octopus.md',
  'docs/migrations.md',
  'docs/inspector.md',
  'docs/telemetry.md',
  'docs/trace.md',
  'docs/debugging.md',
  'docs/schema.md',
]

const root = process.cwd()
/** In the repository, so that packages are found; in the build, so that nothing else sees it. */
const folder = compiled('snippets')

const nameOf = ({ document, number }: Snippet): string =>
  `${document.replaceAll(/\W+/g, '-')}-${number}`

const settings = {
  extends: path.join(root, 'tsconfig.json'),
  compilerOptions: {
    noEmit: false,
    rootDir: root,
    outDir: path.join(folder, 'out'),
    types: ['node'],
    // A reader's compiler may be less strict; the documents do not bend to these.
    noPropertyAccessFromIndexSignature: false,
    paths: {
      'typeorm-octopus': [path.join(root, 'lib/index.ts')],
      'typeorm-octopus/express': [path.join(root, 'lib/express.ts')],
      'typeorm-octopus/inspector': [path.join(root, 'lib/inspector.ts')],
      'typeorm-octopus/opentelemetry': [path.join(root, 'lib/opentelemetry.ts')],
      'typeorm-octopus/prometheus': [path.join(root, 'lib/prometheus.ts')],
    },
  },
  include: [folder],
  exclude: [path.join(folder, 'out')],
}

/** What the compiler has to say, by the lines of the documents. */
const compile = (snippets: readonly Snippet[]): Promise<string[]> => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(settings))
  writeFileSync(path.join(folder, 'prelude.d.ts'), prelude)
  for (const snippet of snippets)
    writeFileSync(path.join(folder, `${nameOf(snippet)}.ts`), `${snippet.code}export {}\n`)
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], (error, stdout) => {
      const complaints = stdout.split('\n').filter((line) => line.includes('error TS'))
      if (error !== null && complaints.length === 0) complaints.push(error.message)
      resolve(complaints.map((complaint) => located(complaint, snippets)))
    })
  })
}

const located = (complaint: string, snippets: readonly Snippet[]): string => {
  const [, name, line, rest] = /([\w-]+)\.ts\((\d+),\d+\): (.*)/.exec(complaint) ?? []
  const snippet = snippets.find((each) => nameOf(each) === name)
  return snippet === undefined
    ? complaint
    : `${snippet.document}:${snippet.line + Number(line) - 1} ${rest}`
}

describe('the documents', () => {
  const snippets = documents.flatMap(snippetsOf)
  let complaints: readonly string[] = []

  before(async function () {
    this.timeout(60_000)
    complaints = await compile(snippets)
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  it('have code in every block that compiles as it stands', () => {
    expect(complaints).to.deep.equal([])
    expect(snippets).to.have.length.above(10)
  })

  it('link to files that exist', () => {
    const missing = documents.flatMap((document) =>
      linksOf(document)
        .filter((link) => !existsSync(path.join(path.dirname(document), link)))
        .map((link) => `${document}: ${link}`),
    )
    expect(missing).to.deep.equal([])
  })

  it('list the rules that decide, in the order in which they are asked', () => {
    expect(tableColumn('docs/routing.md', 'rule ')).to.deep.equal(shardRules)
    expect(tableColumn('docs/routing.md', 'reason ')).to.deep.equal(roleRules)
  })

  it('tell what each finding about a server says', () => {
    expect(tableColumn('docs/cli.md', 'finding ')).to.have.members(nodeFindingKinds)
  })

  it('show where each file of lib/typeorm belongs', () => {
    const files = readdirSync('lib/typeorm', { withFileTypes: true })
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort()
    expect(tableColumn('docs/architecture.md', 'file ').sort()).to.deep.equal(files)
  })

  describe("the README's first block", () => {
    const clusters: Cluster[] = []
    after(() => Promise.all(clusters.map((cluster) => cluster.stop())))

    it('runs as it says, on servers of the same names', async function () {
      this.timeout(60_000)
      clusters.push(
        ...(await Promise.all([
          MariadbCluster.start({ shards: 2, replicas: 0 }),
          MariadbCluster.start({ shards: 1, replicas: 2 }),
        ])),
      )
      const nodes = clusters.flatMap((cluster) => cluster.nodes)
      const hosts = ['main', 'ca-1', 'br-1', 'br-2', 'br-3'] as const
      const servers = new Map<string, ClusterNode>(hosts.map((host, at) => [host, nodes[at]!]))

      const { lines, errors, exitCode } = await runProgram(runnable(snippets[0]!, servers))
      expect(errors).to.equal('')
      expect(exitCode).to.equal(0)
      const trace = withoutTimes(lines.filter((line) => line.startsWith('[') && / — /.test(line)))
      expect(
        trace.slice(0, 4).map((line) =>
          line
            .replace(/127\.0\.0\.1\S*\]/, ']')
            .replace(/ +\]/, ']')
            .replace(/\] +/, '] '),
        ),
      ).to.deep.equal([
        '[brazil/primary] INSERT User — write',
        '[brazil/replica] SELECT User — read outside a transaction',
        '[canada/primary] SELECT User — no replicas',
        '[master/primary] SELECT User — no replicas',
      ])
      expect(lines.join(' ').replaceAll(/\s+/g, ' ')).to.match(
        /\[ \{ shard: 'brazil', value: [01] \}, \{ shard: 'canada', value: 0 \} \]$/,
      )
    })
  })
})

/** Points the compiled block at the servers that stand for its hosts, and at the compiled library. */
const runnable = (snippet: Snippet, servers: ReadonlyMap<string, ClusterNode>): string => {
  const relative = path.relative(root, path.join(folder, `${nameOf(snippet)}.js`))
  const file = path.join(folder, 'out', relative)
  const library = pathToFileURL(compiled('lib/index.js')).href
  const code = readFileSync(file, 'utf8')
    .replace("'typeorm-octopus'", `'${library}'`)
    .replaceAll(/host: '([\w-]+)'/g, (_text, host: string) => {
      const { host: address, port } = servers.get(host)!
      return `host: '${address}', port: ${port}`
    })
    .replace("password: 'secret'", "password: 'app'")
    .replace("database: 'shop'", "database: 'app'")
  writeFileSync(file, code)
  return file
}
