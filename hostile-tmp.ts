import { compile } from './src/machinery/cel/compile.ts'
import type { CelType } from './src/machinery/cel/contract.ts'
const variables = new Map<string, CelType>([['o', { kind: 'dyn' }]])
const big = 'x'.repeat(1_000_000)
const o = {
  big, big2: big + 'y', names: Array.from({ length: 20000 }, (_, i) => 'name-' + i), nums: Array.from({ length: 100000 }, (_, i) => i),
  strs: Array.from({ length: 1000 }, (_, i) => 'x'.repeat(1000) + i), map: Object.fromEntries(Array.from({ length: 20000 }, (_, i) => ['k' + i, i])),
  deep: (() => { let d: unknown = 1; for (let i = 0; i < 500; i++) d = { d, l: [d] }; return d })(),
  emoji: '😀'.repeat(300000), objs: Array.from({ length: 3000 }, (_, i) => ({ a: i, b: 's' + i, c: [i], d: { e: i } })),
}
const E = [
  'o.nums.all(x, x >= 0)', 'o.nums.map(x, x + 1).size()', 'o.nums.filter(x, x % 2 == 0).size()', 'o.nums.exists(x, x < 0)',
  'o.nums.all(x, o.nums.all(y, x == y || true))', 'o.nums.map(x, o.nums.map(y, [x, y]))', 'o.nums.map(x, {"a": x})', 'o.nums.map(x, string(x))',
  'o.nums.map(x, "a" + string(x) + "b")', 'o.nums.all(x, 1 / 0 == 1 || true)', 'o.nums.all(x, o.nope == 1 || true)', 'o.nums.all(x, has(o.nope) || true)',
  'o.nums.map(x, o.big.size())', 'o.nums.map(x, o.emoji.size())', 'o.nums.map(x, o.big == o.big2)', 'o.nums.map(x, o.big + o.big2)', 'o.nums.map(x, dyn(o.big) + dyn(o.big2))',
  'o.nums.map(x, o.big.contains("yz"))', 'o.nums.map(x, o.big.startsWith("y"))', 'o.nums.map(x, o.big.endsWith("y"))', 'o.nums.map(x, o.big.matches("^x*y$"))', 'o.nums.map(x, o.big.matches("(x+x+)+y"))', 'o.nums.map(x, o.big.indexOf("y"))', 'o.nums.map(x, o.big.lastIndexOf("y"))',
  'o.nums.map(x, o.big.replace("x", "yy"))', 'o.nums.map(x, o.big.replace("", "yy"))', 'o.nums.map(x, o.big.split(""))', 'o.nums.map(x, o.big.split("x"))', 'o.nums.map(x, o.big.lowerAscii())', 'o.nums.map(x, o.big.upperAscii())', 'o.nums.map(x, o.big.trim())', 'o.nums.map(x, o.big.substring(5))', 'o.nums.map(x, o.emoji.substring(5))', 'o.nums.map(x, o.big.charAt(5))', 'o.nums.map(x, o.emoji.charAt(5))', 'o.nums.map(x, o.emoji.indexOf("y"))',
  'o.nums.map(x, o.names == o.names)', 'o.nums.map(x, o.strs == o.strs)', 'o.nums.map(x, o.map == o.map)', 'o.nums.map(x, o.objs == o.objs)', 'o.nums.map(x, o.deep == o.deep)', 'o.nums.map(x, x in o.nums)', 'o.nums.map(x, "z" in o.names)', 'o.nums.map(x, "z" in o.map)', 'o.nums.map(x, o.map.size())', 'o.map.all(k, o.map[k] >= 0)', 'o.map.all(k, v, v >= 0)', 'o.nums.all(x, o.map.all(k, v, v >= 0))',
  'o.nums.map(x, o.nums + o.nums)', 'o.nums.map(x, (o.nums + o.nums)[5])', 'o.nums.map(x, o.nums.sum())', 'o.nums.map(x, o.nums.max())', 'o.nums.map(x, o.names.sort())', 'o.names.sort().size()', 'o.nums.map(x, o.nums.reverse())', 'o.nums.map(x, o.nums.distinct())', 'o.nums.slice(0, 900).distinct()', 'o.nums.map(x, o.nums.slice(0, 50000))', 'o.nums.map(x, [o.nums].flatten())', 'o.nums.map(x, lists.range(100000))', 'lists.range(900000).size()', 'o.nums.map(x, o.names.join(","))', 'o.nums.map(x, o.strs.join(","))', 'o.nums.map(x, "%s".format([o.nums]))', 'o.nums.map(x, "%s".format([o.map]))', 'o.nums.map(x, "%s".format([o.big]))', 'o.nums.map(x, "%.900f".format([1e300]))', 'o.nums.map(x, "%.900f".format([dyn(x) + 0.5 - 0.5]))', 'o.nums.map(x, strings.quote(o.big))', 'o.nums.map(x, bytes(o.big))', 'o.nums.map(x, string(bytes(o.big)))', 'o.nums.map(x, sets.contains(o.nums, o.nums))', 'o.nums.map(x, url("https://a/" + o.big).getHost())', 'o.nums.map(x, isURL("https://a/" + o.big))', 'o.nums.map(x, url("/?" + o.big).getQuery())', 'o.nums.map(x, isIP(o.big))', 'o.nums.map(x, isQuantity(o.big))', 'o.nums.map(x, isSemver(o.big))', 'o.nums.map(x, isCIDR(o.big))', 'o.nums.map(x, format.qualifiedName().validate(o.big))', 'o.nums.map(x, format.uri().validate(o.big))', 'o.nums.map(x, o.big.find("[0-9]"))', 'o.nums.map(x, o.big.findAll("x"))', 'o.nums.map(x, o.names.map(n, n.matches("^name-[0-9]+$")))', 'o.names.all(n, n.matches("^name-[0-9]+$"))', 'o.names.all(n, n.matches("^" + n + "$"))', 'o.names.all(n, n.find("[0-9]+") != "")', 'o.nums.map(x, timestamp("2020-01-01T00:00:00Z").getHours("America/New_York"))', 'o.nums.map(x, timestamp(x))', 'o.nums.map(x, duration(string(x) + "s"))', 'o.nums.map(x, int(string(x)))', 'o.nums.map(x, double(o.big))', 'o.nums.map(x, quantity(string(x)).add(1))', 'o.nums.map(x, ip("10.0.0.1").family())', 'o.nums.map(x, cidr("10.0.0.0/8").containsIP("10.1.1.1"))', 'o.nums.map(x, semver("1.2.3").compareTo(semver("1.2.4")))', 'o.nums.transformMap(i, v, v).size()', 'o.nums.map(x, o.map.transformMap(k, v, v).size())', 'o.nums.sortBy(x, -x).size()', 'o.nums.map(x, 9223372036854775807 - x)', 'o.nums.map(x, uint(x) * 2u)', 'o.nums.map(x, double(x) * 2.0)', 'o.nums.map(x, x > 5 ? [x] : [])', 'o.objs.all(p, p.a >= 0 && p.b.startsWith("s") && p.c[0] == p.a && has(p.d.e))', 'o.objs.all(p, o.objs.exists_one(q, q.a == p.a))', 'o.nums.map(x, optional.of(x).orValue(1))', 'o.nums.map(x, o.?nope.?a.orValue(1))', 'o.nums.map(x, type(x) == int)', 'o.nums.map(x, [x, x + 1, x + 2].all(y, y > 0))', 'o.nums.map(x, o.big < o.big2)', 'o.nums.map(x, o.deep.d.d.d.d.d.d.d.d.d.d)', 'o.nums.map(x, [x] == [x])',
]
let worst: [number, string][] = []
for (const text of E) {
  process.stderr.write(text + "\n")
  const c = compile(text, { profile: 'admission', variables })
  if (!c.ok) { console.log('BAD', text, c.issues); continue }
  let best = Infinity, first = 0, r
  for (let i = 0; i < 2; i++) { const t = performance.now(); r = c.program.evaluate({ o }, { left: 1e9 }); const ms = performance.now() - t; if (i === 0) first = ms; best = Math.min(best, ms) }
  worst.push([best, `${best.toFixed(1).padStart(7)} first ${first.toFixed(1).padStart(7)} cost ${String(r!.cost).padStart(8)} ${r!.ok ? 'ok' : r!.kind + ' ' + r!.error.slice(0, 30)}  ${text}`])
}
worst.sort((a, b) => b[0] - a[0])
for (const [, l] of worst.slice(0, 60)) console.log(l)
