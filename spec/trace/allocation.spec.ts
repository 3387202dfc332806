import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { messageOf } from '../../benchmarks/support/child.js'

describe('the trace while nobody listens', function () {
  this.timeout(60_000)

  // Bytes by the code that allocates them, out of a sample; the listener shows that they are seen.
  it('allocates nothing on the route path, before a listener came and after it left', async () => {
    const child = fileURLToPath(new URL('allocation.child.js', import.meta.url))
    const { statements, silent, listening, silentAgain } = await messageOf<
      Record<'listening' | 'silent' | 'silentAgain' | 'statements', number>
    >(child, [])
    expect(listening / statements).to.be.above(200)
    // The smallest object has 12 bytes. What is left is V8's own, which notes types while code is new.
    expect(silent / statements).to.be.below(4)
    expect(silentAgain / statements).to.be.below(4)
  })
})
