import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { Registry } from 'prom-client'
import { octopusMetrics } from '../../lib/prometheus.js'
import { openShards } from './support.js'

interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: Place
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly definition?: string }[] }
}

/** What a histogram is asked by. */
const family = (name: string): string => name.replace(/_(?:bucket|count|sum)$/, '')

const overlap = (one: Place, other: Place): boolean =>
  one.x < other.x + other.w &&
  other.x < one.x + one.w &&
  one.y < other.y + other.h &&
  other.y < one.y + one.h

describe('the dashboard for Grafana', () => {
  const dashboard = JSON.parse(readFileSync('grafana/octopus-dashboard.json', 'utf8')) as Dashboard
  const targets = dashboard.panels.flatMap((panel) => panel.targets ?? [])
  const queries = [
    ...targets.map(({ expr }) => expr),
    ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
  ]
  /** The labels of each metric there is. */
  const metrics = new Map<string, ReadonlySet<string>>()

  before(async () => {
    const db = await openShards()
    const registry = new Registry()
    const stop = octopusMetrics(db, { registry })
    for (const metric of registry.getMetricsAsArray())
      metrics.set(metric.name, new Set((metric as { labelNames?: string[] }).labelNames))
    stop()
    await db.destroy()
  })

  it('asks for metrics that there are, and for all of them', () => {
    const asked = new Set(queries.flatMap((query) => query.match(/octopus_\w+/g) ?? []).map(family))
    expect([...asked].filter((name) => !metrics.has(name))).to.deep.equal([])
    expect([...metrics.keys()].filter((name) => !asked.has(name))).to.deep.equal([])
  })

  it('asks for labels that the metrics have', () => {
    for (const { expr, legendFormat } of targets) {
      const names = [...new Set((expr.match(/octopus_\w+/g) ?? []).map(family))]
      const selected = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, selector = '']) =>
        [...selector.matchAll(/(\w+)=/g)].map(([, label = '']) => label),
      )
      const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by = '']) => by.split(', '))
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)
      for (const label of [...selected, ...grouped, ...shown])
        expect(
          names.some((name) => metrics.get(name)?.has(label)) || label === 'le',
          `${label} in ${expr}`,
        ).to.equal(true)
      // What is grouped away cannot be shown.
      if (grouped.length > 0) expect(grouped).to.include.members(shown)
    }
  })

  it('has parentheses in pairs, a title for each panel, and room for all', () => {
    for (const query of queries)
      for (const pair of ['()', '{}', '[]'])
        expect(query.split(pair[0] ?? '').length, query).to.equal(query.split(pair[1] ?? '').length)
    const { panels } = dashboard
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length)
    for (const [index, { title, gridPos }] of panels.entries()) {
      expect(title).not.to.equal('')
      expect(gridPos.x + gridPos.w).to.be.at.most(24)
      for (const other of panels.slice(index + 1))
        expect(overlap(gridPos, other.gridPos), `${title} over ${other.title}`).to.equal(false)
    }
  })
})
