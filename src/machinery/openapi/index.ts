/** OpenAPI documents from the type table and from the schemas of custom resources. */
export { HEAD_V2, HEAD_V3, customParts, documentV3, partsV2 } from './documents.ts'
export type { CustomParts, Published } from './documents.ts'
export { encodeMembersV2, encodeV2, encodeV3 } from './gnostic.ts'
export { headV3, membersV3 } from './v2-to-v3.ts'
export type { Section } from './v2-to-v3.ts'
