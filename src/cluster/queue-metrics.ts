/** The controllers' queue, under the names of client-go's work queues. */
import type { Registry } from '../apiserver/metrics/registry.ts'
import type { EngineMetrics } from '../controllers/engine.ts'

/** Seconds, as client-go computes them. */
const DURATIONS = [1e-8, 1e-7, 1e-6, 9.999999999999999e-6, 9.999999999999999e-5, 1e-3, 1e-2, 1e-1, 1, 10] as const

/** @param backlog keys that wait, of all controllers */
export function queueMetrics(registry: Registry, backlog: () => number): EngineMetrics {
  const shared = { labels: ['name'], stability: 'BETA' } as const
  const name = (rest: string): string => `workqueue_${rest}`
  const depth = registry.gauge({ name: name('depth'), help: 'Keys that wait, of all controllers.', ...shared })
  registry.onRender(() => depth.set(backlog(), ['controllers']))
  const adds = registry.counter({ name: name('adds_total'), help: 'Keys that were worked on.', ...shared })
  const retries = registry.counter({ name: name('retries_total'), help: 'Keys that failed and come again.', ...shared })
  const histogram = (rest: string, help: string) =>
    registry.histogram({ name: name(rest), help, buckets: DURATIONS, ...shared })
  const waits = histogram('queue_duration_seconds', 'Seconds that keys waited.')
  const works = histogram('work_duration_seconds', 'Seconds of work on a key.')
  return {
    worked(_cluster, controller, waited, took, failed) {
      const labels = [controller]
      adds.add(labels)
      retries.add(labels, failed ? 1 : 0)
      waits.observe(waited / 1000, labels)
      works.observe(took / 1000, labels)
    },
  }
}
