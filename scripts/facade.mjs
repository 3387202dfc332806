// Finishes dist/: marks it CommonJS, makes the command line executable, and puts an ESM façade over the
// one copy of each entry point, so that `import` and `require` in the same process share the routing
// context.
import { chmodSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

writeFileSync('dist/package.json', '{"type":"commonjs"}\n')
chmodSync('dist/cli.js', 0o755)
for (const entry of ['index', 'express', 'inspector', 'opentelemetry', 'prometheus']) {
  const names = Object.keys(require(`../dist/${entry}.js`)).sort()
  const lines = names.map((name) => `export const ${name} = lib.${name}`)
  writeFileSync(`dist/${entry}.mjs`, [`import lib from './${entry}.js'`, ...lines, ''].join('\n'))
  writeFileSync(`dist/${entry}.d.mts`, `export * from './${entry}.js'\n`)
}
