import { type Browser, chromium } from 'playwright-core'
import { findChromium } from './servers/find-chromium.js'
import { missingServer } from './servers/missing.js'

/** Nothing but what a spec asks for is fetched or shown. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts a Chromium with a profile of its own, which is gone when it is closed. */
export const openBrowser = (): Promise<Browser> => {
  const found = findChromium()
  if (found === undefined) throw missingServer('chromium')
  const env = { ...(process.env as Record<string, string>), ...found.env }
  return chromium.launch({ executablePath: found.binary, args: flags, env })
}
