/** Structural schemas of custom resources. */
export { compileSchema, schemaAt } from './compile.ts'
export type { CompiledSchema } from './compile.ts'
export { compilePath, PathError } from './path.ts'
export type { Path } from './path.ts'
export { structuralErrors } from './structural.ts'
export type { SchemaProps } from './props.ts'
export { compareVersions } from './versions.ts'
