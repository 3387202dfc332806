// Runs the fault matrix (spec/faults) by itself and writes its figures into docs/faults.md.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiled = (file) => path.join(root, '.build/spec/faults', file)
const { faultTable, recordVariable } = await import(compiled('faults-page.js'))
const { engineNames } = await import(compiled('world.js'))
const { limits } = await import(compiled('stage.js'))

const folder = mkdtempSync(path.join(tmpdir(), 'octopus-faults-'))
const file = path.join(folder, 'figures.jsonl')
writeFileSync(file, '')
const mocha = path.join(root, 'node_modules/mocha/bin/mocha.js')
const settings = ['--no-config', '--require', 'reflect-metadata', '--timeout', '20000']
const specs = engineNames.map((engine) => compiled(`${engine}.spec.js`))
const { status } = spawnSync(process.execPath, [mocha, ...settings, ...specs], {
  cwd: root,
  env: { ...process.env, [recordVariable]: file },
  stdio: 'inherit',
})
const measured = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))
rmSync(folder, { recursive: true })

const table = faultTable(
  (title, engine) =>
    measured.find((each) => each.title === title && each.engine === engine)?.figures,
)
const page = path.join(root, 'docs/faults.md')
writeFileSync(
  page,
  `# Faults

What callers see while servers and networks fail. Real MariaDB and PostgreSQL servers, in shard north with a primary and two replicas and in shard south with a primary alone, stand behind TCP proxies that make the faults. Twelve callers work through the library, eight reading and four writing, one of them in transactions; where a fault is about one statement or one transaction, that one is looked at. \`npm run faults:table\` runs the matrix and writes this page; \`npm test\` runs it too.

The figures are those of the callers' own logs and of the servers' logs of statements, not of the library's events. The settings are \`acquireTimeoutMs: ${limits.acquireTimeoutMs}\`, \`queryTimeoutMs: ${limits.queryTimeoutMs}\`, \`verifyTimeoutMs: ${limits.verifyTimeoutMs}\` and ${limits.connectTimeoutMs} ms for connecting, all else by default. Times are those of one run on two cores. What \`npm test\` holds is the bound of the longest call, which errors callers see and at most how many, and the three last columns.

- **Longest call**: the longest time for which a call held its caller, from the fault on.
- **Reads** and **writes during the fault**: statements that reached each server until the fault was ended. \`north-1\` and \`north-2\` are the replicas.
- **Recovery**: from the end of the fault until all callers succeed, and until a replica that was out is read from again.

${table.join('\n')}
`,
)
spawnSync('npx', ['prettier', '--write', page], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
