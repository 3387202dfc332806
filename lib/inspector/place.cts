/** The folder of the inspector's files. CommonJS in the package and in the specs alike, which otherwise
 *  have different names for it: `__dirname` and `import.meta`. */
const folder = __dirname
/** @public */
export = { folder }
