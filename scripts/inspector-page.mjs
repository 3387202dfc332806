// Makes the inspector's page: compiles what is in browser/ to modules that browsers load as they are,
// and puts preact beside them, so that the page needs nothing but its own files.
//
//   node scripts/inspector-page.mjs dist/inspector/page
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Name the folder that the page is to be put into.')

const inPage = (name) => path.join(folder, name)
const packages = { preact: 'preact.js', 'preact/hooks': 'preact-hooks.js' }

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

// Types are checked by `npm run typecheck`. Here the library, which they come from, is not even looked at.
const tsc = path.join('node_modules', 'typescript', 'bin', 'tsc')
const options = ['--noEmit', 'false', '--noCheck', '--noResolve', '--rootDir', 'browser']
execFileSync(
  process.execPath,
  [tsc, '-p', 'tsconfig.browser.json', ...options, '--outDir', folder],
  {
    stdio: 'inherit',
  },
)
for (const name of readdirSync('browser'))
  if (/\.(html|css|svg)$/.test(name)) copyFileSync(path.join('browser', name), inPage(name))

for (const [name, file] of Object.entries(packages)) {
  const source = readFileSync(fileURLToPath(import.meta.resolve(name)), 'utf8')
  // Its source map is not here.
  writeFileSync(inPage(file), source.replace(/\n\/\/# sourceMappingURL=\S+/, ''))
}
const packageFolder = path.dirname(fileURLToPath(import.meta.resolve('preact/package.json')))
copyFileSync(path.join(packageFolder, 'LICENSE'), inPage('preact-license.txt'))

// A browser knows no packages. An import map would be a script in the page, which its policy forbids.
for (const name of readdirSync(folder).filter((each) => each.endsWith('.js'))) {
  const code = readFileSync(inPage(name), 'utf8').replaceAll(
    /(\bfrom\s*|\bimport\s*)(["'])([^."'][^"']*)\2/g,
    (_text, before, quote, wanted) => {
      const file = packages[wanted]
      if (file === undefined)
        throw new Error(`${name} imports ${wanted}, which is not in the page.`)
      return `${before}${quote}./${file}${quote}`
    },
  )
  writeFileSync(inPage(name), code)
}
