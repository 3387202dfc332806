export type { Inspector, InspectorOptions } from './inspector/options.js'
export { startInspector } from './inspector/server.js'
