import { type ComponentChildren, Fragment, h, type JSX } from 'preact'
import { duration } from './format.js'
import { answeredBy, type Route } from './route.js'
import type { RouteActions } from './routes.js'

interface RouteDetailsProperties extends RouteActions {
  readonly id: string
  readonly route: Route
}

/** The chain of decisions that led a statement to its server. */
export const RouteDetails = ({
  id,
  route,
  copy,
  showRequest,
}: RouteDetailsProperties): JSX.Element => {
  const { scopeId } = route
  return (
    <div id={id} class="details">
      <ol class="chain">
        <Step title="Shard" outcome={route.shard}>
          by <Rule name={route.shardReason} />
          <Scopes route={route} />
        </Step>
        <Step title="Role" outcome={route.role}>
          <Rules route={route} />
        </Step>
        <Step title="Server" outcome={answeredBy(route)}>
          <Choice route={route} />
        </Step>
        <Step title="Connection" outcome={route.cached ? 'none' : connectionOf(route)}>
          {route.replicaGroup !== undefined && <>replica group {route.replicaGroup}</>}
        </Step>
        <Step title="Outcome" outcome={outcomeOf(route)}>
          {route.error === undefined ? (
            <>after {duration(route.durationMs)}</>
          ) : (
            <>
              at {stages[route.error.stage]}, after {duration(route.durationMs)}
            </>
          )}
        </Step>
      </ol>
      <Statement route={route} />
      <div class="actions">
        <button onClick={() => copy([route])}>Copy as JSON</button>
        {scopeId !== undefined && (
          <button onClick={() => showRequest(scopeId)}>Timeline of its request</button>
        )}
      </div>
    </div>
  )
}

const stages = {
  acquire: 'waiting for a connection',
  connect: 'connecting',
  query: 'the statement itself',
} as const

const outcomeOf = ({ error }: Route): string =>
  error === undefined ? 'done' : [error.name, error.code, error.errno].filter(Boolean).join(' ')

const connectionOf = ({ waitedMs, verified, retried }: Route): string =>
  [
    waitedMs >= 0.1 ? `waited ${duration(waitedMs)}` : 'free at once',
    verified ? 'verified before use' : undefined,
    retried ? 'second try of a lost read' : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(', ')

interface StepProperties {
  readonly title: string
  readonly outcome: string
  readonly children: ComponentChildren
}

const Step = ({ title, outcome, children }: StepProperties): JSX.Element => (
  <li class="step">
    <span class="step-title">{title}</span>
    <strong class="step-outcome">{outcome}</strong>
    <span class="step-why">{children}</span>
  </li>
)

const Rule = ({ name }: { readonly name: string }): JSX.Element => (
  <span class="rule fired">{name}</span>
)

/** The scopes around a statement, and where each was opened, if call-sites are traced. */
const Scopes = ({ route: { scopes, callSites } }: { readonly route: Route }): JSX.Element =>
  scopes.length === 0 ? (
    <span class="quiet"> outside every scope</span>
  ) : (
    <span class="scopes">
      {' in '}
      {scopes.map((scope, at) => (
        <Fragment key={at}>
          {at > 0 && <span class="quiet"> › </span>}
          <code>{scope}</code>
          {callSites[at] !== undefined && <span class="quiet call-site"> {callSites[at]}</span>}
        </Fragment>
      ))}
    </span>
  )

/** The rules that were asked, in their order, up to the one that decided. */
const Rules = ({ route }: { readonly route: Route }): JSX.Element => (
  <ol class="rules" aria-label="Rules in the order in which they were asked">
    {route.passedOver.map((rule) => (
      <li key={rule} class="rule passed">
        {rule}
        <span class="off-screen"> did not apply</span>
      </li>
    ))}
    <li class="rule fired" aria-current="true">
      {route.reason}
    </li>
  </ol>
)

/** Which servers could have answered, and why others could not. */
const Choice = ({ route }: { readonly route: Route }): JSX.Element => (
  <ul class="rules" aria-label="Servers">
    {route.candidates.map((candidate) => (
      <li key={candidate} class={candidate === route.node ? 'rule fired' : 'rule'}>
        {candidate}
        {candidate === route.node && <span class="off-screen"> was chosen</span>}
      </li>
    ))}
    {route.skipped.map(({ node, why }) => (
      <li key={node} class="rule skipped">
        {node}: {why}
      </li>
    ))}
  </ul>
)

const Statement = ({ route }: { readonly route: Route }): JSX.Element => (
  <dl class="statement">
    <dt>Operation</dt>
    <dd>
      {route.operation}
      {route.entity !== undefined && <> of {route.entity}</>}, {route.statement}
      {route.inTransaction && ', in a transaction'}
    </dd>
    {route.sql !== undefined && (
      <>
        <dt>SQL</dt>
        <dd>
          <pre>{route.sql}</pre>
        </dd>
      </>
    )}
    {route.parameters !== undefined && (
      <>
        <dt>Parameters</dt>
        <dd>
          <pre>{JSON.stringify(route.parameters, undefined, 1)}</pre>
        </dd>
      </>
    )}
  </dl>
)
