import type { StateView } from '../lib/inspector/state.js'
import type { Route } from './route.js'

/** What the inspector says of itself when a page comes. */
export interface Hello {
  readonly session: string
  readonly pid: number
  readonly sql: boolean
  readonly parameters: boolean
  readonly keep: number
}

/** Who is told of what comes in. */
export interface Receiver {
  hello(hello: Hello): void
  routes(routes: readonly Route[]): void
  dropped(count: number): void
  state(state: StateView): void
  isConnected(isConnected: boolean): void
}

/**
 * Listens to the inspector. A connection that is lost is opened again by the browser itself.
 *
 * @returns a function that ends it
 */
export const connect = (receiver: Receiver, asksForHealth: boolean): (() => void) => {
  const source = new EventSource(asksForHealth ? 'events?health' : 'events')
  const on = <T>(name: string, tell: (data: T) => void): void =>
    source.addEventListener(name, (event: MessageEvent<string>) =>
      tell(JSON.parse(event.data) as T),
    )
  source.addEventListener('open', () => receiver.isConnected(true))
  source.addEventListener('error', () => receiver.isConnected(false))
  on<Hello>('hello', (hello) => receiver.hello(hello))
  on<readonly Route[]>('routes', (routes) => receiver.routes(routes))
  on<{ count: number }>('dropped', ({ count }) => receiver.dropped(count))
  on<StateView>('state', (state) => receiver.state(state))
  return () => source.close()
}
