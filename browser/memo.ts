import { Component, type ComponentChild, type FunctionComponent, h } from 'preact'

/** A component that is drawn again only if one of its properties is another than before. */
export const memo = <P extends object>(draw: FunctionComponent<P>): FunctionComponent<P> => {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const before: Readonly<P> = this.props
      const names = Object.keys(next) as (keyof P)[]
      return names.some((name) => !Object.is(before[name], next[name]))
    }

    override render(): ComponentChild {
      return h(draw, this.props)
    }
  }
  return (properties) => h(Memo, properties)
}
