import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import {
  type AddCommand,
  type CommandWork,
  type Session,
  UsageError,
  exitCodes,
} from '../../lib/cli/frame.js'
import { version } from '../../lib/cli/version.js'
import { UnknownShardError } from '../../lib/index.js'
import { type CommandRun, type Stage, runInProcess } from './support.js'

/** Runs a command line with one command, `work`, which does what it is given. */
const run = (
  work: CommandWork<[]>,
  args: readonly string[] = [],
  stage: Stage = {},
): Promise<CommandRun> => {
  const add: AddCommand = (program, frame) => {
    program.command('work').action(frame.action(work))
  }
  return runInProcess(['work', ...args], { ...stage, commands: [add] })
}

const esc = String.fromCodePoint(27)

describe('the frame of the command line', () => {
  it('knows the package’s version', async () => {
    const { version: packed } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      version: string
    }
    expect(version).to.equal(packed)
    expect(await runInProcess(['--version'])).to.deep.equal({
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    })
  })

  describe('ends', () => {
    it('with 0, or the code of the work', async () => {
      expect((await run(() => Promise.resolve())).code).to.equal(0)
      expect((await run(() => Promise.resolve(exitCodes.failed))).code).to.equal(1)
    })

    it('with 1 and the message of what was thrown, without its stack', async () => {
      const ended = await run(() => Promise.reject(new TypeError('a plain failure')))
      expect(ended).to.deep.equal({ code: 1, stdout: '', stderr: 'error: a plain failure\n' })
    })

    it('with the parts of an error that is several', async () => {
      const several = new AggregateError([new Error('one'), new Error('two')], 'both failed')
      const { stderr } = await run(() => Promise.reject(several))
      expect(stderr).to.equal('error: both failed\n  - one\n  - two\n')
    })

    it('with 2 where it is called wrongly, also by a name that the library does not know', async () => {
      const usage = await run(() => Promise.reject(new UsageError('no such thing')))
      expect(usage).to.deep.equal({ code: 2, stdout: '', stderr: 'error: no such thing\n' })
      const unknown = await run(() => Promise.reject(new UnknownShardError('brasil', ['brazil'])))
      expect(unknown.code).to.equal(2)
      expect(unknown.stderr).to.match(/^error: Unknown shard "brasil".* \[unknown-shard\]\n$/)
      for (const args of [['nope'], ['work', '--nope'], []]) {
        const { code, stdout, stderr } = await runInProcess(args)
        expect({ code, stdout }, args.join(' ')).to.deep.equal({ code: 2, stdout: '' })
        expect(stderr).to.include('octopus')
      }
    })

    it('shows the stack, and the causes, with --verbose', async () => {
      const failure = new Error('outer', { cause: new TypeError('inner') })
      const { stderr } = await run(() => Promise.reject(failure), ['--verbose'])
      expect(stderr).to.match(/frame\.spec/)
      expect(stderr).to.match(/caused by: TypeError: inner/)
    })

    it('without the password of a URL', async () => {
      const failure = new Error('cannot reach mysql://app:s3cr3t@db.example:3306/shop')
      for (const args of [[], ['--json'], ['--verbose']]) {
        const { stderr } = await run(() => Promise.reject(failure), args)
        expect(stderr).to.include('mysql://app:***@db.example:3306/shop')
        expect(stderr).not.to.include('s3cr3t')
      }
    })

    it('with an error that programs can read', async () => {
      const { code, stderr } = await run(
        () => Promise.reject(new UnknownShardError('x', ['brazil'])),
        ['--json'],
      )
      expect(code).to.equal(2)
      const { error } = JSON.parse(stderr) as { error: object }
      expect(error).to.include({ name: 'UnknownShardError', code: 'unknown-shard' })
    })
  })

  describe('prints', () => {
    const shows: CommandWork<[]> = ({ output }) => {
      output.show({ shard: 'brazil', rows: 12n }, (paper) => {
        paper.table(
          ['shard', 'rows', 'state'],
          [
            ['brazil', 12n, { text: 'up', tone: 'good' }],
            ['canada', undefined, `${esc}[2J\u0007gone\r\nafter`],
          ],
        )
        paper.line('two shards', 'strong')
      })
      return Promise.resolve()
    }

    it('tables for people, without colours where there is no terminal', async () => {
      const { stdout, stderr } = await run(shows)
      expect(stderr).to.equal('')
      expect(stdout.split('\n')).to.deep.equal([
        '┌────────┬──────┬─────────────────┐',
        '│ shard  │ rows │ state           │',
        '├────────┼──────┼─────────────────┤',
        '│ brazil │ 12   │ up              │',
        '│ canada │      │ \\x1b[2J\\x07gone │',
        '│        │      │ after           │',
        '└────────┴──────┴─────────────────┘',
        'two shards',
        '',
      ])
    })

    it('colours on a terminal, unless they are unwanted', async () => {
      const coloured = await run(shows, [], { isTerminal: true })
      expect(coloured.stdout).to.include(`${esc}[32mup${esc}[39m`)
      expect(coloured.stdout).to.include('\\x1b[2J')
      const plain = await run(shows, ['--no-color'], { isTerminal: true })
      expect(plain.stdout).not.to.include(esc)
    })

    it('one document, or one object a line, for programs', async () => {
      const document = await run(shows, ['--json'])
      expect(JSON.parse(document.stdout)).to.deep.equal({ shard: 'brazil', rows: '12' })
      const stream = await run(
        ({ output }) => {
          for (const shard of ['brazil', 'canada'])
            output.event({ shard }, (paper) => paper.line(shard))
          output.warn('a warning')
          return Promise.resolve()
        },
        ['--json'],
      )
      expect(stream.stdout).to.equal('{"shard":"brazil"}\n{"shard":"canada"}\n')
      expect(stream.stderr).to.equal('warning: a warning\n')
    })

    it('progress on a terminal only, and takes it away at the end', async () => {
      const works: CommandWork<[]> = ({ output }) => {
        output.progress(2, 'shards').step()
        output.show({}, (paper) => paper.line('done'))
        return Promise.reject(new Error('half-way'))
      }
      expect((await run(works)).stderr).to.equal('error: half-way\n')
      const { stdout, stderr } = await run(works, [], { isTerminal: true })
      expect(stdout).to.equal('done\n')
      expect(stderr).to.match(/shards \[.*\] 1\/2/)
      expect(stderr).to.include(`${esc}[?25h`) // the cursor is shown again
      expect(stderr).to.match(/half-way\n$/)
    })
  })

  describe('is interrupted', () => {
    /** Runs a command and interrupts it as soon as its work has begun. */
    const interrupted = async (
      work: (session: Session) => Promise<void>,
      method: 'action' | 'finishingAction',
    ): Promise<CommandRun> => {
      let interrupt = (): void => undefined
      let begin = (): void => undefined
      const begun = new Promise<void>((resolve) => (begin = resolve))
      const add: AddCommand = (program, frame) => {
        program.command('work').action(
          frame[method]((session) => {
            begin()
            return work(session)
          }),
        )
      }
      const running = runInProcess(['work'], {
        commands: [add],
        onStart: (given) => (interrupt = given),
      })
      await begun
      interrupt()
      return running
    }

    it('at once, with 130', async () => {
      const endless = (): Promise<void> => new Promise(() => undefined)
      expect(await interrupted(endless, 'action')).to.deep.equal({
        code: 130,
        stdout: '',
        stderr: 'error: interrupted\n',
      })
    })

    it('at a place of its own, where the command says so', async () => {
      const toItsEnd = async ({ signal, output }: Session): Promise<void> => {
        if (!signal.aborted)
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        output.event({}, (paper) => paper.line('finished'))
      }
      expect(await interrupted(toItsEnd, 'finishingAction')).to.deep.equal({
        code: 130,
        stdout: 'finished\n',
        stderr: '',
      })
    })
  })
})
