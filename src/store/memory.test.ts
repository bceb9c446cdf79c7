import { contractSuite } from './contract.suite.ts'
import { memoryStore } from './memory.ts'

contractSuite('memory', async (options) => memoryStore(options))
