/** What a Kubernetes component's log (klog's text) says about the server that it works with. */

/** Lines that also stand in the logs of components on a kube-apiserver. */
const USUAL: readonly RegExp[] = [
  // Loops that are ahead of their caches, or behind: they run again.
  /is not as new as written version/,
  /err=".* not found" logger="UnhandledError"/,
  /Error getting updated \w+ from lister/,
  /the object has been modified; please apply your changes to the latest version and try again/,
  /is forbidden: exceeded quota/,
  /The manifest file is empty, ignoring/,
]

/** Words that make a line a complaint whatever its level. */
const WORDS =
  /unable to decode|failed to (list|watch)|Failed to watch|is forbidden|no kind "|unexpected (object|EOF)|the server could not find the requested resource|cannot unmarshal|couldn't get/i

/** Errors, and lines of any level with a complaint about the server. */
export function complaints(log: string): string[] {
  return log
    .split('\n')
    .filter((line) => /^[EF]\d{4} /.test(line) || WORDS.test(line))
    .filter((line) => !USUAL.some((usual) => usual.test(line)))
}
