export { type PrometheusOptions, octopusMetrics } from './telemetry/prometheus.js'
