// Runs the catalogue of Octopus's behaviours (spec/catalogue) by itself.
//
//   node scripts/catalogue.mjs table     writes the outcome of each row into docs/octopus-behaviours.md
//   node scripts/catalogue.mjs permuted  expects all statements on other servers: every row must fail
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiled = (file) => path.join(root, '.build/spec/catalogue', file)
const { engineTitles, behaviourTable } = await import(compiled('behaviours-page.js'))
const { rowFiles } = await import(compiled('rows/index.js'))
const { permutedVariable } = await import(compiled('permutation.js'))

const keyOf = (number, engine) => `${number} on ${engineTitles[engine]}`

/** Every row on every engine that it is for. */
const wanted = rowFiles.flatMap(({ rows }) =>
  rows.flatMap(({ number, engines = Object.keys(engineTitles) }) =>
    engines.map((engine) => keyOf(number, engine)),
  ),
)

/** Runs the rows of all engines. Gives their errors by row, and those of what is around the rows. */
const run = (environment = {}) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'octopus-catalogue-'))
  const report = path.join(folder, 'report.json')
  const mocha = path.join(root, 'node_modules/mocha/bin/mocha.js')
  const settings = ['--no-config', '--require', 'reflect-metadata', '--timeout', '20000']
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${report}`]
  const specs = Object.keys(engineTitles).map((engine) => compiled(`${engine}.spec.js`))
  try {
    spawnSync(process.execPath, [mocha, ...settings, ...reporter, ...specs], {
      cwd: root,
      // Some rows switch the library off, which it warns of.
      env: { ...process.env, NODE_OPTIONS: '--disable-warning=OctopusWarning', ...environment },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const { tests, failures } = JSON.parse(readFileSync(report, 'utf8'))
    const rows = new Map()
    for (const { fullTitle, err } of tests) {
      const [, engine, number] = / on (\S+) .*?\[([^\]]+)\]/.exec(fullTitle)
      rows.set(`${number} on ${engine}`, err.message)
    }
    const isRow = ({ fullTitle }) => tests.some((test) => test.fullTitle === fullTitle)
    return { rows, around: failures.filter((failure) => !isRow(failure)) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Prints what is not as it should be, and tells whether there was nothing. */
const report = (title, complaints, around) => {
  console.log(title)
  for (const complaint of complaints) console.log(`  ${complaint}`)
  for (const { fullTitle, err } of around) console.log(`  ${fullTitle}: ${err.message}`)
  return complaints.length + around.length === 0
}

const table = () => {
  const { rows, around } = run()
  const outcomeOf = (key) =>
    rows.has(key) ? (rows.get(key) === undefined ? 'pass' : 'FAIL') : 'not run'
  const lines = behaviourTable((number, engine) => outcomeOf(keyOf(number, engine)))
  const page = path.join(root, 'docs/octopus-behaviours.md')
  writeFileSync(
    page,
    `# Octopus's behaviours

What the specs of [Octopus](https://github.com/thiagopradi/octopus) for ActiveRecord check, as it is here. The numbers go by its spec files: O octopus, M model, P proxy, SP scope proxy, R relation proxy, A association shard tracking, RP replication, G replica groups and sharded, MG migration and the scenarios, Q query cache, LB load balancing, LG log, CP collection proxy. Those that are missing mean nothing with TypeORM; [from-octopus.md](from-octopus.md) says why.

Each row is a program with the statements that it must send to each server, compared with the servers' own logs. \`npm run catalogue:table\` runs all rows and writes this page. \`npm run catalogue:permuted\` expects the statements on other servers, and every row must fail.

${lines.join('\n')}
`,
  )
  spawnSync('npx', ['prettier', '--write', page], { cwd: root, stdio: 'inherit' })
  const bad = wanted.filter((key) => outcomeOf(key) !== 'pass')
  return report(
    `${wanted.length - bad.length} of ${wanted.length} rows pass`,
    bad.map((key) => `${key}: ${rows.get(key) ?? outcomeOf(key)}`),
    around,
  )
}

const permuted = () => {
  const { rows, around } = run({ [permutedVariable]: '1' })
  const failsAsItShould = (key) => rows.get(key)?.includes('statements by server') ?? false
  const bad = wanted.filter((key) => !failsAsItShould(key))
  return report(
    `${wanted.length - bad.length} of ${wanted.length} rows miss their statements on other servers`,
    bad.map((key) => `${key}: ${rows.get(key) ?? (rows.has(key) ? 'passes' : 'not run')}`),
    around,
  )
}

const modes = { table, permuted }
const mode = modes[process.argv[2]]
if (mode === undefined) throw new Error(`Name one of: ${Object.keys(modes).join(', ')}.`)
process.exitCode = mode() ? 0 : 1
