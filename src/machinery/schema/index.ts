/** Structural schemas of custom resources. */
export { compileSchema } from './compile.ts'
export type { CompiledSchema } from './compile.ts'
export { compilePath } from './path.ts'
export type { Path } from './path.ts'
export type { SchemaProps } from './props.ts'
export { finish } from './steps.ts'
export type { Steps } from './steps.ts'
export { compareVersions } from './versions.ts'
