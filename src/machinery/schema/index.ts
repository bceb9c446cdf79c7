/** Structural schemas of custom resources. */
export { compileSchema } from './compile.ts'
export type { CompiledSchema } from './compile.ts'
export { compilePath } from './path.ts'
export type { Path } from './path.ts'
export type { SchemaProps } from './props.ts'
export { defaultErrors, unsupportedErrors } from './support.ts'
export { compareVersions } from './versions.ts'
