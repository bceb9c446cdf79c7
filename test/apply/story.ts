/** kubectl with server-side apply, step by step; what a real kube-apiserver answers is in answers.json. */
import { readFileSync } from 'node:fs'
import type { Kubectl } from '../support/kubectl.ts'

interface Step {
  readonly run: readonly string[]
  readonly stdin?: unknown
}

/** What kubectl said and how it ended, without what differs from run to run. */
export interface Answer {
  readonly run: string
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export const answersFile = new URL('answers.json', import.meta.url)

export function readAnswers(): readonly Answer[] {
  return JSON.parse(readFileSync(answersFile, 'utf8')) as Answer[]
}

/** Runs the steps in order against an API server without controllers. */
export async function runStory(kubectl: Kubectl): Promise<readonly Answer[]> {
  const steps = JSON.parse(readFileSync(new URL('steps.json', import.meta.url), 'utf8')) as Step[]
  await kubectl.run('create serviceaccount default')
  const answers: Answer[] = []
  for (const { run, stdin } of steps) {
    const ran = await kubectl.try(run, { stdin: stdin === undefined ? '' : JSON.stringify(stdin) })
    answers.push({ run: run.join(' '), code: ran.code, stdout: steady(sorted(ran.stdout)), stderr: steady(ran.stderr) })
  }
  return answers
}

/** JSON with the members in one order; other text as it is. */
function sorted(text: string): string {
  if (!text.startsWith('{') && !text.startsWith('[')) return text
  return JSON.stringify(ordered(JSON.parse(text)))
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(ordered)
    // Entries of managers stand by their seconds.
    return items.some(isManager) ? items.map((item) => JSON.stringify(item)).sort((a, b) => (a < b ? -1 : 1)) : items
  }
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([key, item]) => [key, ordered(item)]))
}

function isManager(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'fieldsType')
}

const STEADY: readonly (readonly [RegExp, string])[] = [
  [/"uid":"[^"]+"/g, '"uid":"U"'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'T'],
  [/"resourceVersion":"\d+"/g, '"resourceVersion":"R"'],
  [/kube-api-access-\w+/g, 'kube-api-access-x'],
  [/10\.\d+\.\d+\.\d+/g, 'IP'],
  [/"nodePort":\d+/g, '"nodePort":1'],
]

function steady(text: string): string {
  return STEADY.reduce((out, [pattern, by]) => out.replaceAll(pattern, by), text)
}
