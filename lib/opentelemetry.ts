export { type OpenTelemetryOptions, instrumentOctopus } from './telemetry/instrument.js'
