/** Tries until it holds: for what becomes true soon, without a fixed pause. */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  milliseconds = 30_000,
): Promise<T> {
  const end = Date.now() + milliseconds
  let last: unknown
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
    try {
      const value = await check()
      if (value !== undefined && value !== false) return value
      last = value
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`${what}: not after ${milliseconds} ms`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}
