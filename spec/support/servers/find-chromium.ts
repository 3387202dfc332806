import path from 'node:path'
import {
  binaryFolders,
  downloadFolder,
  isExecutable,
  libraryFolders,
  systemServersHidden,
  versionText,
} from './search.js'

/** A Chromium, or a browser made of it, and the environment that an unpacked one needs. */
export interface ChromiumBrowser {
  readonly binary: string
  readonly version: string
  readonly env: Readonly<Record<string, string>>
}

/** The oldest that knows what the inspector's page is made with (`light-dark()`). */
export const oldestChromium = 123

/** Where a browser is unpacked when packages cannot be installed. */
export const unpackedChromiumFolder = (): string => path.join(downloadFolder(), 'chromium')

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const applications = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/** The browser named by `OCTOPUS_CHROMIUM`, else an installed one, else the one unpacked by us. */
export function findChromium(): ChromiumBrowser | undefined {
  const chosen = process.env['OCTOPUS_CHROMIUM']
  if (chosen) return describeChosen(chosen)
  return (systemServersHidden() ? undefined : findInstalled()) ?? findUnpacked()
}

function describeChosen(binary: string): ChromiumBrowser {
  const browser = describe(binary)
  if (browser) return browser
  throw new Error(
    `OCTOPUS_CHROMIUM is ${binary}, but that is not a Chromium or Chrome ${oldestChromium} or newer.`,
  )
}

function findInstalled(): ChromiumBrowser | undefined {
  const inFolders = binaryFolders('/snap/bin').flatMap((folder) =>
    names.map((name) => path.join(folder, name)),
  )
  for (const binary of [...inFolders, ...applications]) {
    const browser = describe(binary)
    if (browser) return browser
  }
  return undefined
}

/** The program itself: what is on PATH is a script that looks for it in the system's folders. */
function findUnpacked(): ChromiumBrowser | undefined {
  const root = unpackedChromiumFolder()
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => libraryFolders(path.join(root, folder)))
  return describe(path.join(root, 'usr/lib/chromium/chromium'), {
    LD_LIBRARY_PATH: libraries.join(':'),
  })
}

function describe(
  binary: string,
  env: Readonly<Record<string, string>> = {},
): ChromiumBrowser | undefined {
  if (!isExecutable(binary)) return undefined
  const version = /(\d+)\.\d\S*/.exec(versionText(binary, env) ?? '')
  return version && Number(version[1]) >= oldestChromium
    ? { binary, version: version[0], env }
    : undefined
}
