import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** The process ids of `pid` and all that descend from it, parents first. */
export function processTree(pid: number): number[] {
  const processes = allProcesses()
  const tree = [pid]
  for (const member of tree) {
    // grows while we walk it
    for (const { pid: child, parent } of processes) if (parent === member) tree.push(child)
  }
  return tree
}

interface ProcessEntry {
  readonly pid: number
  readonly parent: number
}

const allProcesses = (): ProcessEntry[] => (process.platform === 'linux' ? fromProc() : fromPs())

/** True when no thread of the process runs: it was stopped by a signal, or has ended. */
export function isSuspended(pid: number): boolean {
  try {
    return threadStates(pid).every((state) => 'TtZX'.includes(state))
  } catch {
    return true // has ended
  }
}

/** True when nothing of the process is left but perhaps its entry in its parent's books. */
export function hasEnded(pid: number): boolean {
  try {
    return threadStates(pid).every((state) => 'ZX'.includes(state))
  } catch {
    return true
  }
}

function threadStates(pid: number): string[] {
  if (process.platform !== 'linux') {
    return [execFileSync('ps', ['-o', 'state=', '-p', `${pid}`], { encoding: 'utf8' }).charAt(0)]
  }
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.map((thread) => statFields(`/proc/${pid}/task/${thread}`)[0] ?? '')
}

function fromProc(): ProcessEntry[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      return [{ pid: Number(name), parent: Number(statFields(`/proc/${name}`)[1]) }]
    } catch {
      return [] // ended while we were reading
    }
  })
}

/** State, parent and so on. The command before them may itself hold blanks and parentheses. */
function statFields(folder: string): string[] {
  const line = readFileSync(`${folder}/stat`, 'utf8')
  return line.slice(line.lastIndexOf(')') + 2).split(' ')
}

function fromPs(): ProcessEntry[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
  return lines.map((line) => {
    const [pid, parent] = line.trim().split(/\s+/).map(Number)
    return { pid: pid ?? 0, parent: parent ?? 0 }
  })
}
