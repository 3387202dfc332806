import { h, type JSX } from 'preact'
import type { Bar } from './rates.js'

const height = 18

interface ChartProperties {
  readonly bars: readonly Bar[]
  /** The same for all charts, so that they can be compared. */
  readonly most: number
}

const rateSeconds = 10

/** Statements a second, over the last ten. */
export const rateOf = (bars: readonly Bar[]): number =>
  bars.slice(-rateSeconds).reduce((sum, { primary, replica }) => sum + primary + replica, 0) /
  rateSeconds

/** A bar for each second: what went to the primary below, what went to replicas above it. */
export const Chart = ({ bars, most }: ChartProperties): JSX.Element => {
  const scale = height / Math.max(most, 1)
  const last =
    bars.slice(-10).reduce((sum, { primary, replica }) => sum + primary + replica, 0) / 10
  const label = `${last.toFixed(1)} statements a second, over the last ten seconds`
  return (
    <svg
      class="chart"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${bars.length * 2} ${height}`}
      preserveAspectRatio="none"
    >
      <title>{label}</title>
      {bars.map(({ primary, replica }, at) => (
        <g key={at}>
          {primary > 0 && <Part at={at} from={0} size={primary * scale} role="primary" />}
          {replica > 0 && (
            <Part at={at} from={primary * scale} size={replica * scale} role="replica" />
          )}
        </g>
      ))}
    </svg>
  )
}

interface PartProperties {
  readonly at: number
  readonly from: number
  readonly size: number
  readonly role: string
}

const Part = ({ at, from, size, role }: PartProperties): JSX.Element => (
  <rect class={`chart-${role}`} x={at * 2} y={height - from - size} width={1.5} height={size} />
)
