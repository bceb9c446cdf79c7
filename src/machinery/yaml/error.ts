/** What is wrong with a document; the text is go-yaml's, which upstream answers with. */
export class YamlError extends Error {
  constructor(problem: string, line = 0) {
    super(line > 0 ? `line ${line}: ${problem}` : problem)
    this.name = 'YamlError'
  }
}
